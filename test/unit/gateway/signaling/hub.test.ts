import { PorchlightError } from '@porchlight/proto/errors.ts'
import { generateIdentity, parsePublicKey } from '@porchlight/proto/identity/keys.ts'
import { offerStatement, sessionStatement, signStatement } from '@porchlight/proto/identity/statement.ts'
import { writeRtp } from '@porchlight/proto/media/rtp.ts'
import { parseSdp } from '@porchlight/proto/media/sdp.ts'
import type { Offer, SignalUp } from '@porchlight/proto/messages/signal.ts'
import { Registry } from 'prom-client'
import { afterEach, describe, expect, test } from 'vitest'
import { SessionMetrics } from '../../../../gateway/metrics/session-metrics.ts'
import { sessionReport } from '../../../../gateway/metrics/session-report.ts'
import { Sfu } from '../../../../gateway/sfu/sfu.ts'
import { defaultHubLimits, SignalingHub } from '../../../../gateway/signaling/hub.ts'
import { SessionBook } from '../../../../gateway/signaling/session-book.ts'
import { sessionDeadlines } from '../../../../gateway/signaling/session-machine.ts'
import type { CommandBody, SignalBody } from '../../../../gateway/signaling/signal-body.ts'
import { FakeEngine, fingerprint } from '../../../support/fake-engine.ts'
import { HandTimers } from '../../../support/hand-timers.ts'
import { quietLog } from '../../../support/quiet-log.ts'

const device = generateIdentity()
const gateway = generateIdentity()
const deviceSdp = `v=0
o=- 1 1 IN IP4 0.0.0.0
s=-
t=0 0
a=group:BUNDLE v t
a=fingerprint:${fingerprint('AA')}
m=video 9 UDP/TLS/RTP/SAVPF 96
a=mid:v
a=sendonly
a=rtcp-mux
a=rtpmap:96 H264/90000
a=fmtp:96 packetization-mode=1;profile-level-id=42c01f
a=extmap:1 urn:porchlight:rtp-ext:frame-number
a=ssrc:1111 cname:d
a=setup:actpass
a=ice-ufrag:devi
a=ice-pwd:devidevidevidevidevidevi
m=audio 9 UDP/TLS/RTP/SAVPF 0
a=mid:t
a=recvonly
a=rtcp-mux
a=setup:actpass
a=ice-ufrag:devi
a=ice-pwd:devidevidevidevidevidevi
`
const nonce = 'n'.repeat(22)

function makeOffer(session: string, change: Partial<Offer> = {}): Offer {
  const statement = offerStatement({
    session,
    camera: 'house.door',
    nonce,
    deviceFingerprint: fingerprint('AA'),
    deviceUfrag: 'devi',
  })
  const signature = signStatement(statement, device.privateKey)
  return { session, camera: 'door', bootId: 'boot-0001', sdp: deviceSdp, nonce, signature, ...change }
}

function confirmOf(session: string, gatewayFingerprint = fingerprint('BB'), seq = 1): SignalUp {
  const statement = sessionStatement('device', {
    session,
    camera: 'house.door',
    nonce,
    deviceFingerprint: fingerprint('AA'),
    gatewayFingerprint,
    deviceUfrag: 'devi',
    gatewayUfrag: 'gate',
  })
  const signature = signStatement(statement, device.privateKey)
  return { v: 1, id: 'message1', ts: 0, from: 'house', session, seq, type: 'confirm', signature }
}

const packet = (sequence: number) =>
  writeRtp({
    marker: true,
    payloadType: 96,
    sequence,
    timestamp: sequence * 3_600,
    ssrc: 1111,
    extensions: [],
    payload: Uint8Array.of(0x65, 0x80, 1, 2),
  })

/** @param off cameras that nothing is taken of */
function setUp(off: ReadonlySet<string> = new Set()) {
  const engine = new FakeEngine()
  const clock = { now: 1_000 }
  const timers = new HandTimers()
  const sfu = new Sfu({ now: () => clock.now, log: quietLog })
  const sent: SignalBody[] = []
  const commands: { device: string; body: CommandBody }[] = []
  const book = new SessionBook({ metrics: new SessionMetrics(new Registry()) })
  const hub = new SignalingHub({
    engine,
    sfu,
    identity: gateway,
    deviceKey: async (name) => (name === 'house' ? parsePublicKey(device.publicKey) : undefined),
    send: (_, body) => sent.push(body),
    command: (name, body) => commands.push({ device: name, body }),
    mustBeOn: (camera) => {
      if (off.has(camera)) throw new PorchlightError('camera_off')
    },
    now: () => clock.now,
    wallNow: Date.now,
    log: quietLog,
    timers,
    book,
  })
  cleanUp.push(async () => {
    await hub.close()
    await sfu.close()
    await book[Symbol.asyncDispose]()
  })
  const fire = (ms: number) => timers.fire(ms)
  return { engine, sfu, sent, commands, hub, clock, fire, book }
}

const cleanUp: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of cleanUp.splice(0)) await close()
})

describe('a device session', () => {
  test('offer, signed answer, proof and transport, in this order: the camera is live', async () => {
    const { hub, engine, sent, sfu } = setUp()
    await hub.offered('house', makeOffer('session-1'))
    const answer = sent[0]!
    expect(answer).toMatchObject({ type: 'answer', session: 'session-1', seq: 0 })
    const media = parseSdp(answer.type === 'answer' ? answer.sdp : '').media
    expect(media.map(({ mid, direction }) => [mid, direction])).toEqual([
      ['v', 'recvonly'],
      ['t', 'sendonly'],
    ])
    engine.sessions[0]!.become('connected')
    expect(sfu.producer('house.door')).toBeUndefined()
    hub.handle('house', confirmOf('session-1'))
    expect(sfu.producer('house.door')?.run).toBe('boot-0001')
  })

  test('a camera that is switched off loses its session, is not asked for another, and its offers are refused', async () => {
    const off = new Set<string>()
    const { hub, engine, sent, sfu, commands } = setUp(off)
    const reader = { format() {}, accessUnit() {}, audioFrame() {}, lost() {}, ended() {} }
    sfu.read('house.door', reader)
    await hub.offered('house', makeOffer('session-1'))
    engine.sessions[0]!.become('connected')
    hub.handle('house', confirmOf('session-1'))
    off.add('house.door')
    hub.switchedOff('house.door')
    expect(sfu.producer('house.door')).toBeUndefined()
    expect(sent.at(-1)).toMatchObject({ type: 'bye', session: 'session-1', reason: 'camera_off' })
    await hub.offered('house', makeOffer('session-2'))
    expect(sent.at(-1)).toMatchObject({ type: 'bye', session: 'session-2', reason: 'camera_off' })
    expect(engine.sessions).toHaveLength(1)
    expect(commands).toEqual([])
  })

  test('media ahead of the proof is held back, and taken only after it', async () => {
    const { hub, engine, sfu } = setUp()
    await hub.offered('house', makeOffer('session-1'))
    const [session] = engine.sessions
    session!.become('connected')
    session!.events.packet('v', packet(1))
    session!.events.packet('v', packet(2))
    hub.handle('house', confirmOf('session-1'))
    expect(sfu.producer('house.door')?.video?.report.received).toBe(2)
  })

  test('is in the book with its figures while it lasts', async () => {
    const { hub, engine, clock, book } = setUp()
    await hub.offered('house', makeOffer('session-1'))
    clock.now += 30
    engine.sessions[0]!.become('connected')
    clock.now += 5
    engine.sessions[0]!.events.packet('v', packet(1))
    expect(book.reports()).toMatchObject([{ state: 'unproven', packetsReceived: 0, lost: null, bitrate: null }])
    hub.handle('house', confirmOf('session-1'))
    engine.sessions[0]!.events.packet('v', packet(3))
    const [report] = book.reports()
    expect(report).toMatchObject({
      ...{ id: 'session-1', camera: 'house.door', role: 'producer', state: 'live', layer: 'main' },
      ...{ codecs: { video: 'h264', audio: null, talk: 'pcmu' }, remoteAddress: '127.0.0.1:50000' },
      ...{ packetsReceived: 2, lost: 1, rttMs: null, estimate: null },
      stages: { camera: null, signaling: 0, ice: 30, dtls: 0, firstPacket: 5, total: 35 },
    })
    expect(sessionReport.safeParse(report).success).toBe(true)
    hub.revoked('house')
    expect(book.reports()).toEqual([])
  })

  test.each([
    ['a swapped fingerprint in the offer', makeOffer('session-1', { sdp: deviceSdp.replaceAll('AA', 'CC') })],
    ['another camera', makeOffer('session-1', { camera: 'garden' })],
    ['another session', makeOffer('session-2', { session: 'session-1' })],
  ])('%s: no session, no media', async (_, offer) => {
    const { hub, engine, sent } = setUp()
    await hub.offered('house', offer)
    expect(engine.sessions).toHaveLength(0)
    expect(sent).toEqual([{ type: 'bye', session: 'session-1', seq: 0, reason: 'signature_invalid' }])
  })

  test('a device that saw another answer proves it by its confirmation: the session ends', async () => {
    const { hub, engine, sent, sfu } = setUp()
    await hub.offered('house', makeOffer('session-1'))
    engine.sessions[0]!.become('connected')
    engine.sessions[0]!.events.packet('v', packet(1))
    hub.handle('house', confirmOf('session-1', fingerprint('EE')))
    expect(sfu.producer('house.door')).toBeUndefined()
    expect(engine.sessions[0]!.closed).toBe(true)
    expect(sent.at(-1)).toMatchObject({ type: 'bye', reason: 'signature_invalid', seq: 1 })
  })

  test('a device that is not enrolled gets no answer at all', async () => {
    const { hub, engine, sent } = setUp()
    await hub.offered('stranger', makeOffer('session-1'))
    expect([engine.sessions.length, sent.length, hub.sessions]).toEqual([0, 0, 0])
  })

  test('the same offer again is not answered again', async () => {
    const { hub, engine } = setUp()
    await hub.offered('house', makeOffer('session-1'))
    await hub.offered('house', makeOffer('session-1'))
    expect(engine.sessions).toHaveLength(1)
  })

  test('signals that are old, of another device, or of nobody are dropped', async () => {
    const { hub, engine, sfu } = setUp()
    await hub.offered('house', makeOffer('session-1'))
    engine.sessions[0]!.become('connected')
    hub.handle('garage', confirmOf('session-1'))
    hub.handle('house', confirmOf('session-9'))
    expect(sfu.producer('house.door')).toBeUndefined()
    const base = { v: 1 as const, id: 'message1', ts: 0, from: 'house', session: 'session-1' }
    hub.handle('house', { ...base, seq: 5, type: 'candidates', candidates: [{ candidate: 'candidate:x', mid: 'v' }] })
    hub.handle('house', confirmOf('session-1', undefined, 5))
    expect(sfu.producer('house.door')).toBeUndefined()
    expect(engine.sessions[0]!.candidates).toEqual(['candidate:x'])
  })

  test('what is not proven in time ends', async () => {
    const { hub, engine, sent, fire } = setUp()
    await hub.offered('house', makeOffer('session-1'))
    engine.sessions[0]!.become('connected')
    fire(sessionDeadlines.unproven ?? 0)
    expect(sent.at(-1)).toMatchObject({ type: 'bye', reason: 'session_timeout' })
    expect(hub.sessions).toBe(0)
  })

  test('a newer offer supersedes: one under way at once, a live one when the new one is live', async () => {
    const { hub, engine, sfu } = setUp()
    await hub.offered('house', makeOffer('session-1'))
    await hub.offered('house', makeOffer('session-2'))
    expect(engine.sessions[0]!.closed).toBe(true)
    engine.sessions[1]!.become('connected')
    hub.handle('house', confirmOf('session-2'))
    const first = sfu.producer('house.door')
    await hub.offered('house', makeOffer('session-3'))
    expect(engine.sessions[1]!.closed).toBe(false)
    engine.sessions[2]!.become('connected')
    hub.handle('house', confirmOf('session-3'))
    expect(engine.sessions[1]!.closed).toBe(true)
    expect(first?.ended).toBe(true)
    expect(sfu.producer('house.door')).not.toBe(first)
  })
})

describe('wanting a camera', () => {
  test('asks the device once in a while, and not while a session is there', async () => {
    const { hub, commands, clock } = setUp()
    hub.want('house.door')
    hub.want('house.door')
    expect(commands).toEqual([{ device: 'house', body: { type: 'stream', camera: 'door' } }])
    clock.now += defaultHubLimits.askAgainMs
    hub.want('house.door')
    expect(commands).toHaveLength(2)
    clock.now += defaultHubLimits.askAgainMs
    await hub.offered('house', makeOffer('session-1'))
    hub.want('house.door')
    expect(commands).toHaveLength(2)
  })

  test('a camera that is read and whose sessions fail is asked until the next offer', async () => {
    const { hub, engine, sfu, fire, commands, clock } = setUp()
    const none = () => undefined
    const stop = sfu.read('house.door', { format: none, accessUnit: none, audioFrame: none, lost: none, ended: none })
    await hub.offered('house', makeOffer('session-1'))
    engine.sessions[0]!.become('failed')
    expect(commands).toHaveLength(1)
    await hub.offered('house', makeOffer('session-2'))
    engine.sessions[1]!.become('failed')
    for (const asked of [2, 3]) {
      clock.now += 2_500
      fire(2_500)
      expect(commands).toHaveLength(asked)
    }
    await hub.offered('house', makeOffer('session-3'))
    clock.now += 2_500
    fire(2_500)
    expect(commands).toHaveLength(3)
    engine.sessions[2]!.become('failed')
    stop()
    const asked = commands.length
    clock.now += 2_500
    fire(2_500)
    expect(commands).toHaveLength(asked)
  })

  test('a producer that nobody wants stays for the linger, one that is read stays', async () => {
    const { hub, engine, sfu, fire, sent } = setUp()
    await hub.offered('house', makeOffer('session-1'))
    engine.sessions[0]!.become('connected')
    hub.handle('house', confirmOf('session-1'))
    const none = () => undefined
    const stop = sfu.read('house.door', { format: none, accessUnit: none, audioFrame: none, lost: none, ended: none })
    fire(defaultHubLimits.lingerMs)
    expect(hub.sessions).toBe(1)
    stop()
    fire(defaultHubLimits.lingerMs)
    expect(sent.at(-1)).toMatchObject({ type: 'bye', reason: 'idle' })
    expect(hub.sessions).toBe(0)
  })
})
