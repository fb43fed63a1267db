import { PorchlightError } from '@porchlight/proto/errors.ts'
import { parseSdp } from '@porchlight/proto/media/sdp.ts'
import { Registry } from 'prom-client'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { Subject } from '../../../../gateway/auth/subject.ts'
import { SessionMetrics } from '../../../../gateway/metrics/session-metrics.ts'
import { sessionReport } from '../../../../gateway/metrics/session-report.ts'
import type { LineFormat } from '../../../../gateway/sfu/media-line.ts'
import { Producer } from '../../../../gateway/sfu/producer.ts'
import { Sfu } from '../../../../gateway/sfu/sfu.ts'
import { SessionBook } from '../../../../gateway/signaling/session-book.ts'
import { systemTimers } from '../../../../gateway/signaling/session-machine.ts'
import { type ViewerLimits, ViewerSessions } from '../../../../gateway/signaling/viewers.ts'
import { FakeEngine, fingerprint } from '../../../support/fake-engine.ts'
import { quietLog } from '../../../support/quiet-log.ts'

const signedIn = (id: string) => ({ id, expiresAt: 1_600_000 })
const ann: Subject = { kind: 'user', userId: 'u1', name: 'Ann', role: 'owner', credential: signedIn('a') }
const ben: Subject = { kind: 'user', userId: 'u2', name: 'Ben', role: 'owner', credential: signedIn('b') }
const script: Subject = { kind: 'token', cameras: ['house.door'], name: 'script', credential: signedIn('c') }

const transport = `a=rtcp-mux
a=setup:actpass
a=ice-ufrag:view
a=ice-pwd:viewviewviewviewviewview
a=fingerprint:${fingerprint('DD')}
`
const offer = `v=0
o=- 1 1 IN IP4 0.0.0.0
s=-
t=0 0
a=group:BUNDLE 0 1 2 3
m=video 9 UDP/TLS/RTP/SAVPF 102
a=mid:0
a=recvonly
a=rtpmap:102 H264/90000
a=rtcp-fb:102 transport-cc
a=extmap:4 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
a=fmtp:102 packetization-mode=1;profile-level-id=42e01f
${transport}m=audio 9 UDP/TLS/RTP/SAVPF 111 0
a=mid:1
a=recvonly
a=rtpmap:111 opus/48000/2
${transport}m=audio 9 UDP/TLS/RTP/SAVPF 111 0
a=mid:2
a=sendonly
a=rtpmap:111 opus/48000/2
a=ssrc:99 cname:mic
${transport}m=application 9 UDP/DTLS/SCTP webrtc-datachannel
a=mid:3
${transport}`

const none = { frameNumberId: undefined, captureTimeId: undefined, transportCcId: undefined }
const video: LineFormat = {
  kind: 'video',
  codec: 'h264',
  payloadType: 96,
  clockRate: 90_000,
  channels: 1,
  fmtp: 'profile-level-id=42c01f',
  ...none,
}
const audio: LineFormat = { ...video, kind: 'audio', codec: 'pcmu', payloadType: 0, clockRate: 8_000, fmtp: '' }

function setUp(limits: Partial<ViewerLimits> = {}) {
  const engine = new FakeEngine()
  const clock = { now: 0 }
  const sfu = new Sfu({ now: () => clock.now, log: quietLog })
  const wanted: string[] = []
  const book = new SessionBook({ metrics: new SessionMetrics(new Registry()) })
  const timers: { ms: number; run: () => void }[] = []
  const viewers = new ViewerSessions({
    engine,
    sfu,
    want: (camera) => wanted.push(camera),
    now: () => clock.now,
    wallNow: () => 1_000_000,
    log: quietLog,
    limits,
    book,
    timers: {
      set(run, ms) {
        timers.push({ ms, run })
        return systemTimers.set(run, ms)
      },
    },
  })
  onTestFinished(async () => {
    await viewers.close()
    await sfu.close()
    await book[Symbol.asyncDispose]()
  })
  const talked: Uint8Array[] = []
  const publish = (change: Partial<LineFormat> = {}, talk = true) => {
    const producer = new Producer({
      camera: 'house.door',
      run: 'boot-0001',
      video: { ...video, ...change },
      audio,
      talk: talk ? { codec: 'pcmu', payloadType: 0, clockRate: 8_000, ssrc: 5 } : undefined,
      send: (line, bytes) => line === 'talk' && talked.push(bytes),
      now: () => clock.now,
      wallNow: Date.now,
      log: quietLog,
    })
    sfu.publish(producer)
    return producer
  }
  return { engine, sfu, viewers, wanted, publish, talked, clock, timers, book }
}

const code = (thrown: unknown) => (thrown instanceof PorchlightError ? thrown.code : thrown)
const failure = (promise: Promise<unknown>) => promise.then(() => 'none', code)

describe('joining', () => {
  test('lines that are bundle-only have port 0, and their transport in the first of the bundle', async () => {
    const { viewers, publish, engine } = setUp()
    publish()
    const [session = '', first = '', sound = ''] = offer.split(/(?=^m=)/m)
    const bare = first.replace('m=video 9', 'm=video 0').replace(/a=(setup|ice|fingerprint).*\n/g, '')
    const bundle = session.replace('BUNDLE 0 1 2 3', 'BUNDLE 1 0')
    const { answer } = await viewers.join('house.door', `${bundle}${sound}${bare}a=bundle-only\n`, ann)
    expect(engine.sessions[0]!.remote.iceUfrag).toBe('view')
    expect(parseSdp(answer).media.map(({ kind, port }) => [kind, port])).toContainEqual(['video', 9])
  })

  test('the answer takes picture, sound and talk on one transport and refuses the rest', async () => {
    const { viewers, publish, sfu } = setUp()
    publish()
    const { answer } = await viewers.join('house.door', offer, ann)
    const { media, attributes } = parseSdp(answer)
    expect(attributes.find(({ name }) => name === 'group')?.value).toBe('BUNDLE 0 1 2')
    const lines = media.map(({ kind, port, direction, payloadTypes }) => [kind, port, direction, payloadTypes])
    expect(lines).toEqual([
      ['video', 9, 'sendonly', [102]],
      ['audio', 9, 'sendonly', [0]],
      ['audio', 9, 'recvonly', [0]],
      ['application', 0, 'inactive', []],
    ])
    expect(media[0]?.candidates).toHaveLength(1)
    expect(media[0]?.extmaps).toEqual([expect.objectContaining({ id: 4 })])
    expect(media.slice(0, 3).every(({ setup, rtcpMux }) => setup === 'active' && rtcpMux)).toBe(true)
    expect(sfu.viewers('house.door')).toBe(1)
  })

  test('a camera that is not live is asked for and waited for', async () => {
    const { viewers, publish, wanted } = setUp()
    const joined = viewers.join('house.door', offer, script)
    expect(wanted).toEqual(['house.door'])
    publish()
    expect((await joined).id).toMatch(/^[\w-]{16}$/)
  })

  test('one that does not come is offline', async () => {
    const { viewers } = setUp({ producerMs: 5 })
    expect(await failure(viewers.join('house.door', offer, ann))).toBe('camera_offline')
  })

  test.each([
    ['H.265 where the browser has none', { codec: 'h265' as const }, offer, 'codec_unsupported'],
    ['no line for a picture', {}, offer.replace('m=video', 'm=text'), 'sdp_mismatch'],
    ['no rtcp-mux', {}, offer.replaceAll('a=rtcp-mux\n', ''), 'codec_unsupported'],
    ['a bad ufrag', {}, offer.replaceAll('ufrag:view', 'ufrag:<>'), 'sdp_invalid'],
    ['a bad mid', {}, offer.replaceAll('BUNDLE 0', 'BUNDLE <0>'), 'sdp_invalid'],
    ['no SDP at all', {}, 'hello', 'sdp_invalid'],
  ])('%s is refused', async (_, change, sdp, expected) => {
    const { viewers, publish, engine } = setUp()
    publish(change)
    expect(await failure(viewers.join('house.door', sdp, ann))).toBe(expected)
    expect(engine.sessions).toHaveLength(0)
    expect(viewers.sessions).toBe(0)
  })

  test('limits hold per camera and in all, and who may not look gets nothing', async () => {
    const { viewers, publish } = setUp({ perCamera: 1 })
    publish()
    await viewers.join('house.door', offer, ann)
    expect(await failure(viewers.join('house.door', offer, ann))).toBe('session_limit')
    expect(await failure(viewers.join('house.garden', offer, script))).toBe('forbidden')
    expect(await failure(viewers.join('house.door', offer, { kind: 'nobody' }))).toBe('sign_in_required')
  })

  test('a session that loses its transport ends; a camera that comes back with another codec ends it too', async () => {
    const { viewers, publish, engine } = setUp()
    publish()
    await viewers.join('house.door', offer, ann)
    engine.sessions[0]!.become('failed')
    expect(viewers.sessions).toBe(0)
    await viewers.join('house.door', offer, ann)
    publish()
    expect(viewers.sessions).toBe(1)
    publish({ codec: 'vp9' })
    expect(viewers.sessions).toBe(0)
  })
})

describe('the figures of a session', () => {
  const unasked = { plis: 0, firs: 0, nacks: 0, packetsSent: 0, packetsReceived: 0, packetsResent: 0 }
  const unknown = { bitrate: null, lost: null, lossRatio: null, rttMs: null, jitterMs: null, estimate: null }

  test('are there from its beginning to its end, and say nothing that was not measured', async () => {
    const { viewers, publish, engine, clock, book } = setUp()
    const joined = viewers.join('house.door', offer, ann)
    clock.now += 300
    publish()
    const { id } = await joined
    expect(book.reports()).toEqual([
      {
        ...{ id, camera: 'house.door', role: 'viewer', state: 'unconnected', since: 1_000_000, layer: 'main' },
        ...{ ...unasked, ...unknown, remoteAddress: null, codecs: { video: 'h264', audio: 'pcmu', talk: 'pcmu' } },
        stages: { camera: 300, signaling: 0, ice: null, dtls: null, firstPacket: null, total: null },
      },
    ])
    expect(sessionReport.safeParse(book.reports()[0]).success).toBe(true)
    clock.now += 20
    engine.sessions[0]!.become('connected')
    engine.sessions[0]!.events.packet('2', Buffer.alloc(20, 0x80))
    expect(book.reports()).toMatchObject([
      {
        ...{ state: 'live', remoteAddress: '127.0.0.1:50000', packetsReceived: 1 },
        stages: { camera: 300, signaling: 0, ice: 20, dtls: 0, firstPacket: null, total: null },
      },
    ])
    await viewers.leave(id, ann)
    expect(book.reports()).toEqual([])
  })
})

describe('a sign-in that ends', () => {
  test('takes along the sessions that it opened, and no others of the same person', async () => {
    const { viewers, publish, engine } = setUp()
    publish()
    const elsewhere = { ...ann, credential: signedIn('a-tablet') } as Subject
    const here = await viewers.join('house.door', offer, ann)
    const there = await viewers.join('house.door', offer, elsewhere)
    await viewers.signedOut('a')
    expect(engine.sessions.map(({ closed }) => closed)).toEqual([true, false])
    expect(() => viewers.take('house.door', here.id, ann)).toThrow('There is no such session.')
    expect(viewers.take('house.door', there.id, elsewhere).leaseMs).toBe(5_000)
  })

  test('leaves nobody waiting for a camera who would then see it', async () => {
    const { viewers, publish, engine } = setUp()
    const joined = failure(viewers.join('house.door', offer, ann))
    await viewers.signedOut('a')
    publish()
    expect(await joined).toBe('sign_in_required')
    expect(engine.sessions).toEqual([])
  })

  test('by its age ends its sessions, a script’s token too', async () => {
    const { viewers, publish, timers } = setUp()
    publish()
    await viewers.join('house.door', offer, ann)
    await viewers.join('house.door', offer, script)
    for (const timer of timers.filter(({ ms }) => ms === 600_000)) timer.run()
    expect(viewers.sessions).toBe(0)
  })
})

describe('candidates after the offer', () => {
  const credentials = 'a=ice-ufrag:view\na=ice-pwd:viewviewviewviewviewview\n'
  const candidate = (port: number, type = 'relay') => `candidate:1 1 udp 41885439 192.0.2.9 ${port} typ ${type}`
  const fragment = (...candidates: string[]) =>
    `${credentials}m=video 9 UDP/TLS/RTP/SAVPF 102\na=mid:0\n${candidates.map((one) => `a=${one}\n`).join('')}`

  test('come to the engine; those it cannot use are left out, and a viewer has but so many', async () => {
    const { viewers, publish, engine } = setUp()
    publish()
    const { id } = await viewers.join('house.door', offer, ann)
    const useless = ['candidate:1 1 tcp 1 192.0.2.9 9 typ host', 'candidate:1 1 udp 1 abc.local 9 typ host']
    viewers.trickle(id, fragment(candidate(1), ...useless, candidate(2)), ann)
    viewers.trickle(id, `${fragment()}a=end-of-candidates\n`, ann)
    expect(engine.sessions[0]!.candidates).toEqual([candidate(1), candidate(2)])
    for (let port = 3; port < 100; port++) viewers.trickle(id, fragment(candidate(port)), ann)
    expect(engine.sessions[0]!.candidates).toHaveLength(32)
  })

  test('of another ICE session are a restart, which is refused and harms nothing', async () => {
    const { viewers, publish, engine } = setUp()
    publish()
    const { id } = await viewers.join('house.door', offer, ann)
    const restart = fragment(candidate(1)).replaceAll('view', 'anew')
    expect(() => viewers.trickle(id, restart, ann)).toThrow('open a new one')
    expect(() => viewers.trickle(id, 'a=candidate:1', ann)).toThrow('The SDP cannot be read.')
    expect(engine.sessions[0]).toMatchObject({ candidates: [], closed: false })
  })

  test('are taken only from whom the session belongs to', async () => {
    const { viewers, publish } = setUp()
    publish()
    const { id } = await viewers.join('house.door', offer, ann)
    expect(() => viewers.trickle(id, fragment(candidate(1)), ben)).toThrow('You may not do that.')
    expect(() => viewers.trickle('nothing-here', fragment(candidate(1)), ann)).toThrow('There is no such session.')
  })
})

describe('talk', () => {
  const packet = (sequence: number) => Buffer.concat([Buffer.from([0x80, 0, 0, sequence]), Buffer.alloc(168)])

  test('passes only from whoever holds the floor', async () => {
    const { viewers, publish, engine, talked, clock } = setUp()
    publish()
    const a = await viewers.join('house.door', offer, ann)
    const b = await viewers.join('house.door', offer, ben)
    const speak = (index: number, sequence: number) => engine.sessions[index]!.events.packet('2', packet(sequence))
    speak(0, 1)
    expect(talked).toHaveLength(0)
    expect(viewers.take('house.door', a.id, ann)).toEqual({ until: 1_005_000, leaseMs: 5_000 })
    speak(0, 2)
    speak(1, 2)
    expect(talked).toHaveLength(1)
    expect(() => viewers.take('house.door', b.id, ben)).toThrow('Somebody else is talking. (Ann)')
    clock.now += 5_001
    speak(0, 3)
    expect(talked).toHaveLength(1)
    viewers.take('house.door', b.id, ben)
    speak(1, 3)
    expect(talked).toHaveLength(2)
    const numbers = talked.map((bytes) => Buffer.from(bytes).readUInt16BE(2))
    expect((numbers[1]! - numbers[0]!) & 0xffff).toBe(1)
    await viewers.leave(b.id, ben)
    expect(viewers.take('house.door', a.id, ann).leaseMs).toBe(5_000)
  })

  test('needs a session of one’s own that can talk', async () => {
    const { viewers, publish } = setUp()
    publish({}, false)
    const { id } = await viewers.join('house.door', offer, ann)
    const take = (session: string, subject: Subject) => () => viewers.take('house.door', session, subject)
    expect(take(id, ann)).toThrow('This camera has no loudspeaker.')
    expect(take(id, ben)).toThrow('You may not do that.')
    expect(take('nothing-here', ann)).toThrow('There is no such session.')
    expect(take(id, script)).toThrow('You may not do that.')
    expect(() => viewers.release('house.door', 'nothing-here', ann)).not.toThrow()
  })
})
