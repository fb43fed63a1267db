import type { Event } from '@porchlight/proto/messages/event.ts'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import {
  type BeginContext,
  type EventListener,
  EventService,
  type EventSign,
} from '../../../../gateway/events/event-service.ts'
import { EventStore, type StoredEvent } from '../../../../gateway/events/event-store.ts'
import { Metrics } from '../../../../gateway/metrics/metrics.ts'
import { memoryIndex } from '../../../support/memory-index.ts'
import { quietLog } from '../../../support/quiet-log.ts'

const t0 = 1_700_000_000_000
let ids = 0

function message(phase: Event['phase'], at: number, more: Partial<Event> = {}): Event {
  ids += 1
  return {
    v: 1,
    id: `message-${ids}`,
    ts: at,
    from: 'porch',
    type: 'event',
    eventId: 'event-001',
    camera: 'door',
    kind: 'motion',
    phase,
    at,
    bootId: 'boot-1234',
    ...more,
  }
}

class Recorder implements EventListener {
  readonly name = 'test'
  readonly told: string[] = []
  readonly contexts: BeginContext[] = []
  last: StoredEvent | undefined

  began(event: StoredEvent, context: BeginContext): void {
    this.told.push(`began ${event.id}`)
    this.contexts.push(context)
    this.last = event
  }

  ended(event: StoredEvent): void {
    this.told.push(`ended ${event.id} ${(event.endAt ?? 0) - t0}`)
    this.last = event
  }

  still(event: StoredEvent): void {
    this.told.push(`still ${event.id}`)
    this.last = event
  }
}

async function setUp(
  others: EventListener[] = [],
  ignores: (camera: string, sign: EventSign) => boolean = () => false,
) {
  const store = new EventStore(await memoryIndex())
  const clock = { now: t0 }
  const make = async () => {
    const recorder = new Recorder()
    const service = new EventService({
      store,
      listeners: [...others, recorder],
      title: () => 'Front door',
      ignores,
      metrics: new Metrics(),
      log: quietLog,
      now: () => clock.now,
      prerollMs: 10_000,
      postrollMs: 5_000,
      quietMs: 30_000,
      ringMs: 20_000,
    })
    await service.load()
    return { service, recorder }
  }
  return { store, clock, make, ...(await make()) }
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
})
afterEach(() => {
  vi.useRealTimers()
})

describe('EventService', () => {
  it('follows an event from begin to end', async () => {
    const { service, recorder, store } = await setUp()
    service.handle('porch', message('begin', t0))
    expect(service.isOpen('porch.door')).toBe(true)
    service.handle('porch', message('active', t0 + 4_000))
    service.handle('porch', message('end', t0 + 9_000))
    expect(recorder.told).toEqual(['began event-001', 'ended event-001 9000'])
    expect(service.isOpen('porch.door')).toBe(false)
    await service.close()
    expect(await store.get('event-001')).toEqual({
      id: 'event-001',
      camera: 'porch.door',
      kind: 'motion',
      beginAt: t0,
      endAt: t0 + 9_000,
      recordFrom: t0 - 10_000,
      recordTo: t0 + 14_000,
      hasStill: false,
      protected: false,
    })
  })

  it('passes over what does not count', async () => {
    const { service, recorder } = await setUp([], (camera, { phase }) => camera === 'porch.door' && phase === 'begin')
    service.handle('porch', message('begin', t0))
    expect(recorder.told).toEqual([])
    expect(service.isOpen('porch.door')).toBe(false)
  })

  it('tells once, however often a begin comes', async () => {
    const { service, recorder, make } = await setUp()
    for (let index = 0; index < 3; index++) service.handle('porch', message('begin', t0))
    service.handle('porch', message('end', t0 + 1_000))
    service.handle('porch', message('begin', t0))
    await service.close()
    const second = await make()
    second.service.handle('porch', message('begin', t0))
    await second.service.close()
    expect(recorder.told).toEqual(['began event-001', 'ended event-001 1000'])
    expect(second.recorder.told).toEqual([])
  })

  it('ends what has gone quiet, at its last sign', async () => {
    const { service, recorder } = await setUp()
    service.handle('porch', message('begin', t0))
    await vi.advanceTimersByTimeAsync(29_000)
    service.handle('porch', message('active', t0 + 28_500))
    await vi.advanceTimersByTimeAsync(29_999)
    expect(recorder.told).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(1)
    expect(recorder.told[1]).toBe('ended event-001 28500')
    await service.close()
  })

  it('ends a ring by itself', async () => {
    const { service, recorder } = await setUp()
    service.handle('porch', message('begin', t0, { kind: 'ring' }))
    await vi.advanceTimersByTimeAsync(20_000)
    expect(recorder.told[1]).toBe('ended event-001 20000')
    await service.close()
  })

  it('believes the device when it says later that it went on for longer', async () => {
    const { service, recorder, store } = await setUp()
    service.handle('porch', message('begin', t0))
    await vi.advanceTimersByTimeAsync(30_000)
    service.handle('porch', message('end', t0 + 40_000))
    await service.close()
    expect(recorder.told).toEqual(['began event-001', 'ended event-001 0', 'ended event-001 40000'])
    expect(await store.get('event-001')).toMatchObject({ endAt: t0 + 40_000, recordTo: t0 + 45_000 })
  })

  it('opens an event again that goes on after it was thought over, without waking anybody', async () => {
    const { service, recorder } = await setUp()
    service.handle('porch', message('begin', t0))
    await vi.advanceTimersByTimeAsync(30_000)
    service.handle('porch', message('active', t0 + 50_000))
    await vi.waitFor(() => expect(recorder.told).toHaveLength(3))
    expect(recorder.contexts[1]).toMatchObject({ resumed: true })
    expect(recorder.last?.endAt).toBeNull()
    await service.close()
  })

  it('lets no camera end, prolong or reopen the event of another', async () => {
    const { service, recorder } = await setUp()
    const foreign = { camera: 'garden' }
    service.handle('porch', message('begin', t0))
    service.handle('porch', message('active', t0 + 1_000, foreign))
    service.handle('porch', message('end', t0 + 2_000, foreign))
    expect(service.isOpen('porch.door')).toBe(true)
    expect(await service.cameraOf('event-001')).toBe('porch.door')
    service.handle('porch', message('end', t0 + 3_000))
    service.handle('other', message('active', t0 + 4_000))
    service.handle('other', message('end', t0 + 5_000))
    await service.close()
    expect(recorder.told).toEqual(['began event-001', 'ended event-001 3000'])
  })

  it('takes an active whose begin was lost for a begin, and an end of nothing for nothing', async () => {
    const { service, recorder } = await setUp()
    service.handle('porch', message('end', t0, { eventId: 'event-009' }))
    service.handle('porch', message('active', t0 + 5_000))
    expect(recorder.told).toEqual(['began event-001'])
    await service.close()
  })

  it('goes on after a restart, and ends what nobody speaks of any more', async () => {
    const { service, make } = await setUp()
    service.handle('porch', message('begin', t0))
    service.handle('porch', message('begin', t0 + 1, { eventId: 'event-002' }))
    await service.close()
    const { service: again, recorder } = await make()
    expect(recorder.told.sort()).toEqual(['began event-001', 'began event-002'])
    expect(recorder.contexts[0]).toMatchObject({ resumed: true, late: false, device: 'porch' })
    expect(again.openOf('porch')).toHaveLength(2)
    expect(again.openOf('garden')).toHaveLength(0)
    again.handle('porch', message('end', t0 + 9_000))
    await vi.advanceTimersByTimeAsync(30_000)
    expect(recorder.told.slice(2)).toEqual(['ended event-001 9000', 'ended event-002 1'])
    await again.close()
  })

  it('marks what waited in the outbox', async () => {
    const { service, recorder, clock } = await setUp()
    clock.now = t0 + 3_600_000
    service.handle('porch', message('begin', t0))
    expect(recorder.contexts[0]?.late).toBe(true)
    await service.close()
  })

  it('lets nobody wait for anybody', async () => {
    const broken: EventListener = {
      name: 'broken',
      began: () => {
        throw new Error('broken')
      },
      ended: () => Promise.reject(new Error('broken')),
    }
    const stuck: EventListener = { name: 'stuck', began: () => new Promise(() => undefined) }
    const { service, recorder } = await setUp([broken, stuck])
    service.handle('porch', message('begin', t0))
    service.handle('porch', message('end', t0 + 1))
    expect(recorder.told).toEqual(['began event-001', 'ended event-001 1'])
    await service.close()
  })

  it('lists newest first, page by page', async () => {
    const { service } = await setUp()
    for (let index = 0; index < 5; index++) {
      const eventId = `event-10${index}`
      service.handle('porch', message('begin', t0 + index, { eventId, camera: index === 4 ? 'yard' : 'door' }))
      service.handle('porch', message('end', t0 + index, { eventId }))
    }
    await service.close()
    const first = await service.list({ limit: 2, cameras: ['porch.door'] })
    expect(first.events.map((event) => event.eventId)).toEqual(['event-103', 'event-102'])
    const second = await service.list({ limit: 3, cameras: ['porch.door'], before: first.next ?? 0 })
    expect(second.events.map((event) => event.eventId)).toEqual(['event-101', 'event-100'])
    expect(second.next).toBeNull()
    expect((await service.list({ limit: 50 })).events).toHaveLength(5)
    await expect(service.get('event-999')).rejects.toEqual(expect.objectContaining({ code: 'event_not_found' }))
  })

  it('tells when the still is there', async () => {
    const { service, recorder } = await setUp()
    service.handle('porch', message('begin', t0))
    await vi.waitFor(async () => expect((await service.list({ limit: 1 })).events).toHaveLength(1))
    await service.stillReady('event-001')
    expect(recorder.last).toMatchObject({ hasStill: true, endAt: null })
    await service.stillReady('event-unknown')
    expect(recorder.told).toEqual(['began event-001', 'still event-001'])
    await service.close()
  })
})
