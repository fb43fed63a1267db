import { generateIdentity, parsePublicKey } from '@porchlight/proto/identity/keys.ts'
import { sessionStatement, signStatement, verifyStatement } from '@porchlight/proto/identity/statement.ts'
import type { AccessUnit } from '@porchlight/proto/media/access-unit.ts'
import { VideoDepacketizer } from '@porchlight/proto/media/depacketizer.ts'
import { writeRtcp } from '@porchlight/proto/media/rtcp.ts'
import { isRtcp, parseRtp, SequenceUnwrapper, writeRtp } from '@porchlight/proto/media/rtp.ts'
import { readAbsCaptureTime, readFrameNumber } from '@porchlight/proto/media/rtp-extensions.ts'
import type { SignalDown } from '@porchlight/proto/messages/signal.ts'
import { pino } from 'pino'
import { expect, onTestFinished, test } from 'vitest'
import { PrerollRing } from '../../device/preroll/ring.ts'
import type { Engine } from '../../device/webrtc/engine.ts'
import { nodeDataChannelEngine } from '../../device/webrtc/node-datachannel.ts'
import { ProducerSession, type SignalBody } from '../../device/webrtc/producer-session.ts'
import { sdpFacts } from '../../device/webrtc/sdp-facts.ts'
import { weriftEngine } from '../../device/webrtc/werift/engine.ts'
import { pictures } from '../unit/device/frames.ts'
import { GatewayPeer, talkSsrc } from '../unit/device/webrtc/gateway-peer.ts'

const log = pino({ level: 'silent' })
/** Every tenth video packet is lost the first time it is sent. @param swallowed gets the numbers of those that were */
function lossy(real: Engine, swallowed: Set<number>): Engine {
  return {
    name: 'lossy',
    open: (options, listener) => {
      const session = real.open(options, listener)
      const send = (mid: string, packet: Uint8Array) => {
        const { sequence } = parseRtp(packet) ?? { sequence: 1 }
        if (mid !== 'v' || isRtcp(packet) || sequence % 10 !== 0 || swallowed.has(sequence))
          return session.send(mid, packet)
        swallowed.add(sequence)
        return true
      }
      return {
        offer: () => session.offer(),
        answer: (sdp) => session.answer(sdp),
        addCandidate: (candidate, mid) => session.addCandidate(candidate, mid),
        send,
        roundTripMs: undefined,
        close: () => session.close(),
      }
    },
  }
}
const device = generateIdentity()
const gateway = generateIdentity()

function slices(options: { from?: number; count: number }): AccessUnit[] {
  return pictures({ ...options, bytes: 6_000, startMs: 1_763_600_000_000 }).map((unit) => {
    unit.data[0]![0] = unit.keyframe ? 0x65 : 0x41
    return unit
  })
}

/** Does it now and five times a second until the test is over. */
function repeatedly(step: () => void): void {
  step()
  const timer = setInterval(step, 200)
  onTestFinished(() => clearInterval(timer))
}

const engines = [nodeDataChannelEngine(log), weriftEngine(log)]

test.each(engines)(
  'a proven session on $name carries the kept group and live pictures whole, repeats what was lost, and hears talk',
  async (real) => {
    const swallowed = new Set<number>()
    const engine = lossy(real, swallowed)
    const peer = new GatewayPeer()
    onTestFinished(() => peer.close())
    const ring = new PrerollRing({ seconds: 10, maxBytes: 32 * 1024 * 1024 })
    ring.format({ codec: 'h264', width: 1280, height: 720 }, undefined)
    for (const unit of slices({ count: 40 })) ring.accessUnit(unit)
    const talked = Promise.withResolvers<Uint8Array>()
    const signals: SignalBody[] = []
    const session = new ProducerSession({
      engine,
      device: 'porch',
      camera: 'front',
      bootId: 'boot-0001',
      identity: device,
      gatewayKey: gateway.publicKey,
      ring,
      formats: { video: { codec: 'h264', width: 1280, height: 720 } },
      talk: { codec: 'opus', clockRate: 48_000, send: (data) => talked.resolve(data.slice()) },
      iceServers: [],
      bindAddress: '127.0.0.1',
      random: () => 0.001,
      now: Date.now,
      log,
      send: async (body) => {
        signals.push(body)
      },
    })
    onTestFinished(() => session.close())

    const offer = await session.offer()
    const answer = await peer.answer(offer.sdp)
    const [ours, theirs] = [sdpFacts(offer.sdp), sdpFacts(answer)]
    const facts = {
      session: session.id,
      camera: 'porch.front',
      nonce: offer.nonce,
      deviceFingerprint: ours.fingerprint,
      gatewayFingerprint: theirs.fingerprint,
      deviceUfrag: ours.ufrag,
      gatewayUfrag: theirs.ufrag,
    }
    const signature = signStatement(sessionStatement('gateway', facts), gateway.privateKey)
    const down: SignalDown = {
      type: 'answer',
      v: 1,
      id: 'message-1',
      ts: Date.now(),
      from: 'gateway',
      session: session.id,
      seq: 0,
      sdp: answer,
      signature,
    }
    session.handle(down)
    expect(await session.firstFrame).toBe(25)
    expect(signals.map((signal) => signal.type).sort()).toEqual(['candidates', 'confirm'])
    const confirm = signals.find((signal) => signal.type === 'confirm')!
    expect(
      verifyStatement(sessionStatement('device', facts), confirm.signature, parsePublicKey(device.publicKey)),
    ).toBe(true)

    for (const unit of slices({ from: 40, count: 20 })) session.accessUnit(unit)
    const video = () =>
      peer
        .of('v')
        .filter((bytes) => !isRtcp(bytes))
        .map((bytes) => parseRtp(bytes)!)
    await peer.until(() => video().some((packet) => packet.marker && readFrameNumber(packet.extensions) === 59))

    const { ssrc } = video()[0]!
    repeatedly(() => {
      // Besides what was lost on purpose, a busy machine's socket may have overflowed.
      const seen = new Set(video().map(({ sequence }) => sequence))
      const known = [...seen, ...swallowed]
      const [first, last] = [Math.min(...known), Math.max(...known)]
      const lost = Array.from({ length: last - first + 1 }, (_, at) => first + at).filter((one) => !seen.has(one))
      peer.send('v', writeRtcp([{ type: 'nack', sender: 1, media: ssrc, lost }]))
    })
    const unwrapper = new SequenceUnwrapper()
    const expected = slices({ from: 25, count: 35 }).length * 6
    const once = () => [...new Map(video().map((packet) => [packet.sequence, packet])).values()]
    await peer.until(() => once().length === expected)
    expect(swallowed.size).toBeGreaterThan(15)
    const inOrder = once()
      .map((packet) => ({ ...packet, at: unwrapper.unwrap(packet.sequence) }))
      .sort((a, b) => a.at - b.at)

    const depacketizer = new VideoDepacketizer('h264')
    const got: { frame: number; captureMs: number | undefined; bytes: number }[] = []
    let captureMs: number | undefined
    for (const packet of inOrder) {
      captureMs = readAbsCaptureTime(packet.extensions) ?? captureMs
      const whole = depacketizer.push(packet.payload, packet.marker, packet.timestamp)
      if (!whole) continue
      got.push({ frame: readFrameNumber(packet.extensions)!, captureMs, bytes: whole[0]!.length })
    }
    const sent = [...slices({ from: 25, count: 35 })]
    expect(got.map((one) => one.frame)).toEqual(sent.map((unit) => unit.frame))
    expect(got.every((one) => one.bytes === 6_000)).toBe(true)
    for (const [index, unit] of sent.entries()) expect(got[index]!.captureMs).toBeCloseTo(unit.captureMs, 1)

    let sequence = 0
    repeatedly(() => {
      sequence += 1
      const packet = { marker: true, payloadType: 111, sequence, timestamp: 960 * sequence, ssrc: talkSsrc }
      peer.send('t', writeRtp({ ...packet, extensions: [], payload: Uint8Array.of(0xf8, 1, 2) }))
    })
    expect([...(await talked.promise)]).toEqual([0xf8, 1, 2])
  },
)
