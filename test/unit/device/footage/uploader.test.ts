import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FootageUploader } from '../../../../device/footage/uploader.ts'
import type { Span } from '../../../../device/preroll/ring.ts'
import { decodeFootage, FootageReceiver } from '../../../support/footage-receiver.ts'
import { quietLog } from '../../../support/quiet-log.ts'
import { numbers, pictures, sound } from '../frames.ts'

const span = (from: number, count: number, bytes = 2_000): Span => ({
  videoFormat: { codec: 'h264', width: 640, height: 360 },
  audioFormat: { codec: 'pcmu', clockRate: 8_000, channels: 1 },
  units: pictures({ from, count, bytes }),
  audio: sound(10),
})

let receiver: FootageReceiver
let uploader: FootageUploader

function make(api: string, limits: { maxKbps?: number; queueBytes?: number } = {}): FootageUploader {
  return new FootageUploader({
    bootId: 'boot-0001',
    limits: { maxKbps: 1_000_000, queueBytes: 1 << 26, maxHours: 1, ...limits },
    target: { api, token: () => 'device-token', authority: async () => undefined },
    monotonic: () => performance.now(),
    random: () => 0.01,
    log: quietLog,
  })
}

beforeEach(async () => {
  receiver = new FootageReceiver()
  uploader = make(await receiver.listen())
})
afterEach(async () => {
  await uploader.close()
  await receiver.close()
})

describe('FootageUploader', () => {
  it('delivers in pieces of at most 1 MB, with its token', async () => {
    let largest = 0
    receiver.fault = (request) => {
      largest = Math.max(largest, Number(request.headers['content-length']))
      return false
    }
    const long = span(0, 1_000)
    uploader.enqueue('door', long)
    await receiver.until(() => receiver.complete.length === 1)
    expect(decodeFootage(receiver.complete[0]!.bytes)).toEqual({
      units: numbers(long.units),
      audio: numbers(long.audio),
    })
    expect(largest).toBeLessThanOrEqual(1 << 20)
    expect([...receiver.tokens]).toEqual(['Bearer device-token'])
    expect(uploader.taken('door').ranges).toEqual([[0, 999]])
  })

  it('goes on where it broke off', async () => {
    let calls = 0
    receiver.fault = (request) => {
      calls += 1
      if (calls !== 2 && calls !== 4) return false
      request.socket.destroy()
      return true
    }
    uploader.enqueue('door', span(0, 1_000))
    await receiver.until(() => receiver.complete.length === 1)
    expect(decodeFootage(receiver.complete[0]!.bytes).units).toHaveLength(1_000)
    expect(calls).toBeGreaterThan(4)
  })

  it('goes back where the gateway has lost a part', async () => {
    let calls = 0
    receiver.fault = () => {
      calls += 1
      if (calls === 3) for (const body of receiver.bodies.values()) body.bytes = body.bytes.subarray(0, 100_001)
      return false
    }
    uploader.enqueue('door', span(0, 1_000))
    await receiver.until(() => receiver.complete.length === 1)
    expect(decodeFootage(receiver.complete[0]!.bytes).units).toHaveLength(1_000)
  })

  it('drops what the gateway can never take, and goes on with the next', async () => {
    let calls = 0
    receiver.fault = (request, response) => {
      calls += 1
      if (calls > 1) return false
      request.resume()
      response.writeHead(400).end(JSON.stringify({ code: 'footage_invalid' }))
      return true
    }
    uploader.enqueue('door', span(0, 10))
    uploader.enqueue('door', span(10, 10))
    await receiver.until(() => receiver.complete.length === 1)
    expect(decodeFootage(receiver.complete[0]!.bytes).units[0]).toBe(10)
    expect(uploader.dropped).toBe(1)
    expect(uploader.taken('door').ranges).toEqual([[10, 19]])
  })

  it('has a delivery recorded that the gateway has all of, and did not record', async () => {
    let id = ''
    let kept = 0
    receiver.fault = (request) => {
      id = request.url!.split('/').at(-1)!
      const body = receiver.bodies.get(id)
      const last = /\/(\d+)$/.exec(request.headers['content-range'] ?? '')
      // the gateway ends while it records: the bytes are there, and nobody was told
      if (kept > 0 || last === null) return false
      kept = Number(last[1])
      request.on('end', () => request.socket.destroy())
      request.resume()
      receiver.bodies.set(id, { camera: 'door', id, bytes: Buffer.alloc(kept, body?.bytes), complete: false })
      return true
    }
    uploader.enqueue('door', span(0, 10))
    await receiver.until(() => receiver.refusedRanges.length === 1)
    expect(receiver.refusedRanges).toEqual([`bytes ${kept - 1}-${kept - 1}/${kept}`])
    expect(uploader.delivered).toBe(0)
  })

  it.each([
    [502, 'x'.repeat(20_000)],
    [500, JSON.stringify({ code: 'internal' })],
  ])('lets others pass one that the gateway fails at, and gives none of them up: %i', async (status, text) => {
    let failing: string | undefined
    receiver.fault = (request, response) => {
      failing ??= request.url
      if (request.url !== failing || receiver.complete.length === 4) return false
      request.resume()
      response.writeHead(status).end(text)
      return true
    }
    for (let from = 0; from < 50; from += 10) uploader.enqueue('door', span(from, 10))
    await receiver.until(() => receiver.complete.length === 5)
    expect(uploader.dropped).toBe(0)
    expect(receiver.frames.toSorted((a, b) => a - b)).toEqual(range(0, 49))
  })

  it('lets others pass one at which the gateway always goes back', async () => {
    let stuck: string | undefined
    receiver.fault = (request, response) => {
      stuck ??= request.url
      if (request.url !== stuck) return false
      request.resume()
      response.writeHead(409).end(JSON.stringify({ code: 'footage_offset', offset: 0 }))
      return true
    }
    for (let from = 0; from < 30; from += 10) uploader.enqueue('door', span(from, 10))
    await receiver.until(() => receiver.complete.length === 2)
  })

  it('lets others pass one that is refused for now', async () => {
    receiver.fault = (request, response) => {
      if (!request.url?.includes('/gate/') || receiver.complete.length > 0) return false
      request.resume()
      response.writeHead(404).end(JSON.stringify({ code: 'camera_not_found' }))
      return true
    }
    uploader.enqueue('gate', span(0, 10))
    uploader.enqueue('door', span(0, 10))
    await receiver.until(() => receiver.complete.length === 2)
    expect(receiver.complete.map((body) => body.camera)).toEqual(['door', 'gate'])
  })

  it('is bounded: the oldest that waits is dropped, and its frames may come again', async () => {
    const away = make('http://127.0.0.1:9', { queueBytes: 100_000 })
    for (let index = 0; index < 10; index += 1) away.enqueue('door', span(index * 10, 10))
    expect(away.queuedBytes).toBeLessThanOrEqual(100_000)
    expect(away.dropped).toBeGreaterThan(0)
    expect(away.taken('door').missing(0, 99)).not.toEqual([])
    await away.close()
  })

  describe('of a gateway that can be asked', () => {
    it('asks about what is doubtful, and delivers what is missing with its sound', async () => {
      receiver.missing = () => [
        [10, 19],
        [40, 44],
      ]
      const long = { ...span(0, 50), audio: sound(100) }
      uploader.enqueue('door', long, true)
      await receiver.until(() => receiver.complete.length === 1)
      expect(receiver.asked).toEqual(['door boot-0001 0-49'])
      const { units, audio } = decodeFootage(receiver.complete[0]!.bytes)
      expect(units).toEqual([
        ...numbers(pictures({ from: 10, count: 10 })),
        ...numbers(pictures({ from: 40, count: 5 })),
      ])
      // 20 ms of sound beside pictures of 40 ms: what lies between the pictures before and after
      expect(audio).toEqual([...range(19, 40), ...range(79, 90)])
    })

    it('sends nothing of what the gateway has', async () => {
      receiver.missing = () => []
      uploader.enqueue('door', span(0, 50), true)
      uploader.enqueue('door', span(50, 5))
      await receiver.until(() => receiver.complete.length === 1)
      expect(receiver.frames).toEqual(range(50, 54))
      expect(uploader.knownFrames).toBe(50)
    })

    it('goes on with the same part where it broke off', async () => {
      receiver.missing = () => [[0, 599]]
      let calls = 0
      receiver.fault = (request) => {
        calls += 1
        if (calls !== 2) return false
        request.socket.destroy()
        return true
      }
      uploader.enqueue('door', span(0, 1_000), true)
      await receiver.until(() => receiver.complete.length === 1)
      expect(receiver.frames).toEqual(range(0, 599))
      expect(receiver.receivedBytes).toBe(receiver.complete[0]!.bytes.byteLength)
    })

    it('asks an older gateway in vain, and delivers everything', async () => {
      uploader.enqueue('door', span(0, 50), true)
      await receiver.until(() => receiver.complete.length === 1)
      expect(receiver.frames).toEqual(range(0, 49))
    })

    it('tells what will never come: refused, or not kept', async () => {
      receiver.missing = () => []
      receiver.fault = (request, response) => {
        request.resume()
        response.writeHead(400).end(JSON.stringify({ code: 'footage_invalid' }))
        return true
      }
      uploader.enqueue('door', span(0, 10))
      await receiver.until(() => receiver.gone.length === 1)
      await uploader.lacks({ camera: 'door', run: 'boot-0000' }, [7, 9])
      await receiver.until(() => receiver.gone.length === 2)
      expect(receiver.gone).toEqual([
        { camera: 'door', run: 'boot-0001', ranges: [[0, 9]], reason: 'refused' },
        { camera: 'door', run: 'boot-0000', ranges: [[7, 9]], reason: 'not_kept' },
      ])
    })

    it('does not call gone what is delivered or waits', async () => {
      receiver.missing = () => []
      uploader.enqueue('door', span(10, 10))
      await uploader.lacks({ camera: 'door', run: 'boot-0001' }, [5, 24])
      await receiver.until(() => receiver.gone.length === 1)
      expect(receiver.gone[0]!.ranges).toEqual([
        [5, 9],
        [20, 24],
      ])
    })
  })
})

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index)
