import { PorchlightError } from '@porchlight/proto/errors.ts'
import { parseRtcp } from '@porchlight/proto/media/rtcp.ts'
import { writeRtp } from '@porchlight/proto/media/rtp.ts'
import { parseSdp } from '@porchlight/proto/media/sdp.ts'
import { Registry } from 'prom-client'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { Subject } from '../../../../gateway/auth/subject.ts'
import { SessionMetrics } from '../../../../gateway/metrics/session-metrics.ts'
import { sessionReport } from '../../../../gateway/metrics/session-report.ts'
import { Sfu } from '../../../../gateway/sfu/sfu.ts'
import { PublisherSessions } from '../../../../gateway/signaling/publishers.ts'
import { SessionBook } from '../../../../gateway/signaling/session-book.ts'
import { sessionDeadlines } from '../../../../gateway/signaling/session-machine.ts'
import { FakeEngine } from '../../../support/fake-engine.ts'
import { HandTimers } from '../../../support/hand-timers.ts'
import { quietLog } from '../../../support/quiet-log.ts'
import { plainWhipOffer } from '../../../support/whip-offer.ts'

const camera = 'whip.studio'
const studio: Subject = {
  kind: 'publisher',
  camera,
  credential: { id: 'hash-1', expiresAt: Number.POSITIVE_INFINITY },
}
const garden: Subject = { ...studio, camera: 'whip.garden' }

const fragment = (ufrag = 'pubs') =>
  [
    `a=ice-ufrag:${ufrag}`,
    'a=ice-pwd:pubspubspubspubspubspubs',
    'm=video 9 UDP/TLS/RTP/SAVPF 96',
    'a=mid:v',
    'a=candidate:1 1 udp 2122260223 192.0.2.1 61764 typ host',
    'a=candidate:2 1 tcp 1518280447 192.0.2.1 9 typ host tcptype active',
  ].join('\r\n')

const keyframe = (sequence: number) =>
  writeRtp({
    marker: true,
    payloadType: 96,
    sequence,
    timestamp: sequence * 3_600,
    ssrc: 1111,
    extensions: [],
    payload: Uint8Array.of(0x65, 0x80, 1, 2),
  })

function setUp(limit = 128) {
  const engine = new FakeEngine()
  const clock = { now: 1_000 }
  const sfu = new Sfu({ now: () => clock.now, log: quietLog })
  const book = new SessionBook({ metrics: new SessionMetrics(new Registry()) })
  const onAir: unknown[] = []
  const timers = new HandTimers()
  const publishers = new PublisherSessions({
    ...{ engine, sfu, book, limit, now: () => clock.now, wallNow: Date.now, log: quietLog },
    onAir: (id, codecs) => onAir.push([id, codecs]),
    timers,
  })
  onTestFinished(async () => {
    await publishers.close()
    await sfu.close()
    await book[Symbol.asyncDispose]()
  })
  const fire = (ms: number | undefined) => timers.fire(ms)
  return { engine, sfu, book, publishers, onAir, clock, fire }
}

const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => 'none',
    (thrown: unknown) => (thrown instanceof PorchlightError ? thrown.code : thrown),
  )

describe('publishing', () => {
  test('an offer is answered; once media can flow the camera has a producer and is on the air', async () => {
    const { publishers, engine, sfu, onAir, book } = setUp()
    const { id, answer } = await publishers.publish(camera, plainWhipOffer, studio)
    const { media } = parseSdp(answer)
    expect(media.map(({ mid, direction, rtcpMux }) => [mid, direction, rtcpMux])).toEqual([
      ['v', 'recvonly', true],
      ['a', 'recvonly', true],
    ])
    expect(answer).toContain('a=rtcp-mux-only\r\n')
    expect(sfu.producer(camera)).toBeUndefined()
    expect(onAir).toEqual([])
    engine.sessions[0]!.become('connected')
    expect(sfu.producer(camera)?.run).toBe(id)
    expect(onAir).toEqual([[camera, { video: 'h264', audio: 'opus' }]])
    expect(book.reports().map((report) => sessionReport.parse(report))).toMatchObject([
      { id, camera, role: 'producer', state: 'live', codecs: { video: 'h264', audio: 'opus', talk: null } },
    ])
  })

  test('a keyframe is asked for by PLI at the publisher', async () => {
    const { publishers, engine, sfu } = setUp()
    await publishers.publish(camera, plainWhipOffer, studio)
    const [session] = engine.sessions
    session!.become('connected')
    session!.events.packet('v', keyframe(1))
    sfu.producer(camera)!.requestKeyframe()
    const plis = session!.sent.flatMap(({ mid, bytes }) => parseRtcp(bytes).map((packet) => [mid, packet]))
    expect(plis).toEqual([['v', expect.objectContaining({ type: 'pli', media: 1111 })]])
  })

  test('who leaves, is lost, or never comes takes the camera off the air', async () => {
    const { publishers, engine, sfu, onAir, fire } = setUp()
    const one = await publishers.publish(camera, plainWhipOffer, studio)
    engine.sessions[0]!.become('connected')
    await publishers.leave(one.id, studio)
    await publishers.leave(one.id, studio)
    expect(onAir.at(-1)).toEqual([camera, undefined])
    expect(sfu.producer(camera)).toBeUndefined()

    await publishers.publish(camera, plainWhipOffer, studio)
    engine.sessions[1]!.become('connected')
    engine.sessions[1]!.become('disconnected')
    expect(onAir.at(-1)).toEqual([camera, { video: 'h264', audio: 'opus' }])
    fire(sessionDeadlines.interrupted)
    expect(onAir.at(-1)).toEqual([camera, undefined])

    await publishers.publish(camera, plainWhipOffer, studio)
    fire(sessionDeadlines.unconnected)
    expect(publishers.sessions).toBe(0)
    expect(engine.sessions.every(({ closed }) => closed)).toBe(true)
  })

  test.each<[string, string, Subject, string]>([
    ['somebody else’s camera', camera, garden, 'forbidden'],
    ['nobody', camera, { kind: 'nobody' }, 'sign_in_required'],
    ['a device', camera, { kind: 'device', device: 'whip' }, 'forbidden'],
  ])('%s: refused', async (_, id, subject, code) => {
    const { publishers, engine } = setUp()
    expect(await failure(publishers.publish(id, plainWhipOffer, subject))).toBe(code)
    expect(engine.sessions).toEqual([])
  })

  test('there is an end to sessions', async () => {
    const { publishers } = setUp(1)
    await publishers.publish(camera, plainWhipOffer, studio)
    expect(await failure(publishers.publish('whip.garden', plainWhipOffer, garden))).toBe('session_limit')
    // One that has not come to anything makes room for the next of its camera.
    expect(await failure(publishers.publish(camera, plainWhipOffer, studio))).toBe('none')
  })

  test('a gateway that stops takes nothing more', async () => {
    const { publishers } = setUp()
    await publishers.close()
    expect(await failure(publishers.publish(camera, plainWhipOffer, studio))).toBe('session_ended')
  })
})

describe('taking over', () => {
  test('happens when the new media flows, and not before; the camera stays on the air', async () => {
    const { publishers, engine, sfu, onAir } = setUp()
    await publishers.publish(camera, plainWhipOffer, studio)
    engine.sessions[0]!.become('connected')
    const { id } = await publishers.publish(camera, plainWhipOffer, studio)
    expect(engine.sessions[0]!.closed).toBe(false)
    engine.sessions[1]!.become('connected')
    expect(engine.sessions.map(({ closed }) => closed)).toEqual([true, false])
    expect(sfu.producer(camera)?.run).toBe(id)
    expect(onAir).not.toContainEqual([camera, undefined])
  })

  test('by one who never comes, or with an offer that is none, changes nothing', async () => {
    const { publishers, engine, fire, sfu } = setUp()
    const { id } = await publishers.publish(camera, plainWhipOffer, studio)
    engine.sessions[0]!.become('connected')
    expect(await failure(publishers.publish(camera, 'v=0', studio))).toBe('sdp_invalid')
    await publishers.publish(camera, plainWhipOffer, studio)
    fire(sessionDeadlines.unconnected)
    expect(engine.sessions.map(({ closed }) => closed)).toEqual([false, true])
    expect(sfu.producer(camera)?.run).toBe(id)
  })
})

describe('a session', () => {
  test('hears its owner’s candidates; another ICE session is a restart, which there is not', async () => {
    const { publishers, engine } = setUp()
    const { id } = await publishers.publish(camera, plainWhipOffer, studio)
    publishers.trickle(id, fragment(), studio)
    expect(engine.sessions[0]!.candidates).toEqual(['candidate:1 1 udp 2122260223 192.0.2.1 61764 typ host'])
    const codeOf = (run: () => void) => failure(Promise.resolve().then(run))
    expect(await codeOf(() => publishers.trickle(id, fragment('other'), studio))).toBe('ice_restart_unsupported')
    expect(await codeOf(() => publishers.trickle(id, fragment(), garden))).toBe('forbidden')
    expect(await codeOf(() => publishers.trickle('session-2', fragment(), studio))).toBe('session_not_found')
    expect(await failure(publishers.leave(id, garden))).toBe('forbidden')
    expect(engine.sessions[0]!.closed).toBe(false)
  })

  test('ends with the credential that opened it', async () => {
    const { publishers, engine } = setUp()
    await publishers.publish(camera, plainWhipOffer, studio)
    await publishers.onlyOf(new Set(['hash-1', 'hash-2']))
    expect(engine.sessions[0]!.closed).toBe(false)
    await publishers.onlyOf(new Set(['hash-2']))
    expect(engine.sessions[0]!.closed).toBe(true)
  })
})
