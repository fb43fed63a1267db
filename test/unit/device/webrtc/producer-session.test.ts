import { generateIdentity, parsePublicKey } from '@porchlight/proto/identity/keys.ts'
import {
  offerStatement,
  sessionStatement,
  signStatement,
  verifyStatement,
} from '@porchlight/proto/identity/statement.ts'
import type { AccessUnit, AudioFrame } from '@porchlight/proto/media/access-unit.ts'
import { parseRtcp, writeRtcp } from '@porchlight/proto/media/rtcp.ts'
import { isRtcp, parseRtp, writeRtp } from '@porchlight/proto/media/rtp.ts'
import { readFrameNumber } from '@porchlight/proto/media/rtp-extensions.ts'
import type { SignalDown } from '@porchlight/proto/messages/signal.ts'
import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Engine, SessionListener, SessionOptions } from '../../../../device/webrtc/engine.ts'
import { ProducerSession, type SignalBody } from '../../../../device/webrtc/producer-session.ts'
import { numbers, sound } from '../frames.ts'
import { slices as pictures } from './slices.ts'

const ourSdp = 'v=0\r\na=fingerprint:sha-256 AA:AA\r\na=ice-ufrag:ours\r\n'
const answerSdp = 'v=0\r\na=fingerprint:sha-256 BB:BB\r\na=ice-ufrag:theirs\r\n'
const device = generateIdentity()
const gateway = generateIdentity()

/** An engine without a network. */
function fakeEngine() {
  const sent: { mid: string; packet: Uint8Array }[] = []
  const seen: { answers: string[]; closed: number; options?: SessionOptions; listener?: SessionListener } = {
    answers: [],
    closed: 0,
  }
  const engine: Engine = {
    name: 'fake',
    open: (options, listener) => {
      seen.options = options
      seen.listener = listener
      return {
        offer: async () => ourSdp,
        answer: (sdp) => {
          seen.answers.push(sdp)
        },
        addCandidate: () => undefined,
        send: (mid, packet) => sent.push({ mid, packet: packet.slice() }) > 0,
        roundTripMs: undefined,
        close: () => {
          seen.closed++
        },
      }
    },
  }
  return { engine, sent, seen }
}

function setup(gop: { units?: AccessUnit[]; audio?: AudioFrame[] } = {}) {
  const fake = fakeEngine()
  const signals: SignalBody[] = []
  const talked: Uint8Array[] = []
  const dropped: [number, number][] = []
  const acks: { resolve: () => void; reject: (error: Error) => void }[] = []
  const onPli = vi.fn()
  const session = new ProducerSession({
    engine: fake.engine,
    device: 'porch',
    camera: 'front',
    bootId: 'boot-0001',
    identity: device,
    gatewayKey: gateway.publicKey,
    ring: { currentGop: () => ({ units: gop.units ?? [], audio: gop.audio ?? [] }) },
    formats: {
      video: { codec: 'h264', width: 1280, height: 720 },
      audio: { codec: 'pcmu', clockRate: 8000, channels: 1 },
    },
    talk: { codec: 'pcmu', clockRate: 8000, send: (data) => talked.push(data.slice()) },
    iceServers: [],
    now: () => 2_000_000,
    random: () => 0.25,
    log: pino({ level: 'silent' }),
    send: (body) => {
      signals.push(body)
      return new Promise((resolve, reject) => acks.push({ resolve, reject }))
    },
    onPli,
    onDropped: (from, to) => dropped.push([from, to]),
  })
  const video = () =>
    fake.sent.filter((one) => one.mid === 'v' && !isRtcp(one.packet)).map((one) => parseRtp(one.packet)!)
  const frames = () => [...new Set(video().map((packet) => readFrameNumber(packet.extensions)!))]
  return { session, ...fake, signals, talked, dropped, acks, onPli, video, frames }
}

function answerTo(
  session: { id: string },
  nonce: string,
  change: Partial<{ sdp: string; key: typeof gateway }> = {},
): SignalDown {
  const sdp = change.sdp ?? answerSdp
  const statement = sessionStatement('gateway', {
    session: session.id,
    camera: 'porch.front',
    nonce,
    deviceFingerprint: 'sha-256 AA:AA',
    gatewayFingerprint: 'sha-256 BB:BB',
    deviceUfrag: 'ours',
    gatewayUfrag: 'theirs',
  })
  const signature = signStatement(statement, (change.key ?? gateway).privateKey)
  return { type: 'answer', v: 1, id: 'message-1', ts: 0, from: 'gateway', session: session.id, seq: 0, sdp, signature }
}

async function live(gop: Parameters<typeof setup>[0] = {}) {
  const all = setup(gop)
  const offer = await all.session.offer()
  all.session.handle(answerTo(all.session, offer.nonce))
  all.seen.listener!.open()
  all.acks[0]!.resolve()
  await vi.advanceTimersByTimeAsync(0)
  expect(all.session.state).toBe('live')
  return all
}

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

describe('producer session: proof', () => {
  test('the offer is signed by the device and carries session, camera and boot', async () => {
    const { session, seen } = setup()
    const offer = await session.offer()
    expect(offer).toMatchObject({ session: session.id, camera: 'front', bootId: 'boot-0001', sdp: ourSdp })
    const statement = offerStatement({
      session: session.id,
      camera: 'porch.front',
      nonce: offer.nonce,
      deviceFingerprint: 'sha-256 AA:AA',
      deviceUfrag: 'ours',
    })
    expect(verifyStatement(statement, offer.signature, parsePublicKey(device.publicKey))).toBe(true)
    expect(seen.options?.media.map((line) => line.mid)).toEqual(['v', 'a', 't'])
    session.close()
  })

  test('media flows only after the answer is proven, confirm is acknowledged and the lines are open', async () => {
    const { session, seen, acks, signals, frames } = setup({ units: pictures({ count: 3 }) })
    const offer = await session.offer()
    session.accessUnit(pictures({ from: 3, count: 1 })[0]!)
    session.handle(answerTo(session, offer.nonce))
    expect(seen.answers).toEqual([answerSdp])
    expect(signals).toMatchObject([{ type: 'confirm', session: session.id, seq: 1 }])
    seen.listener!.open()
    await vi.advanceTimersByTimeAsync(10)
    expect(frames()).toEqual([])
    acks[0]!.resolve()
    await vi.advanceTimersByTimeAsync(10)
    expect(session.state).toBe('live')
    expect(frames()).toEqual([0, 1, 2])
    expect(await session.firstFrame).toBe(0)
    session.close()
  })

  test.each([
    ['another key', { key: generateIdentity() }],
    ['a swapped fingerprint', { sdp: answerSdp.replace('BB:BB', 'CC:CC') }],
    ['a swapped ufrag', { sdp: answerSdp.replace('theirs', 'others') }],
  ])('an answer with %s gets no media: the session ends', async (_, change) => {
    const { session, seen, signals } = setup({ units: pictures({ count: 1 }) })
    const offer = await session.offer()
    session.handle(answerTo(session, offer.nonce, change))
    expect(await session.ended).toBe('signature_invalid')
    expect(seen.answers).toEqual([])
    expect(seen.closed).toBe(1)
    expect(signals).toMatchObject([{ type: 'bye', reason: 'signature_invalid' }])
  })

  test('an answer with a second fingerprint is refused', async () => {
    const { session } = setup()
    const offer = await session.offer()
    session.handle(answerTo(session, offer.nonce, { sdp: `${answerSdp}a=fingerprint:sha-256 CC:CC\r\n` }))
    expect(await session.ended).toBe('sdp_invalid')
  })

  test('signals of another session, repeated ones and a second answer are dropped', async () => {
    const { session, seen } = setup()
    const offer = await session.offer()
    const answer = answerTo(session, offer.nonce)
    session.handle({ ...answer, session: 'another-one' })
    expect(session.state).toBe('offered')
    session.handle(answer)
    session.handle(answer)
    session.handle({ ...answer, seq: 1 })
    expect(seen.answers).toHaveLength(1)
    session.close()
  })
})

describe('producer session: every state has a way out', () => {
  test('no answer within 10 s', async () => {
    const { session, seen } = setup()
    await session.offer()
    await vi.advanceTimersByTimeAsync(10_000)
    expect(await session.ended).toBe('session_timeout')
    expect(seen.closed).toBe(1)
  })

  test('an answer, but no connection within 15 s', async () => {
    const { session } = setup()
    const offer = await session.offer()
    session.handle(answerTo(session, offer.nonce))
    await vi.advanceTimersByTimeAsync(15_000)
    expect(await session.ended).toBe('session_timeout')
  })

  test('confirm not delivered', async () => {
    const { session, acks } = setup()
    const offer = await session.offer()
    session.handle(answerTo(session, offer.nonce))
    acks[0]!.reject(new Error('offline'))
    expect(await session.ended).toBe('broker_unreachable')
  })

  test('a lost connection may come back within its time, and ends the session after it', async () => {
    const { session, seen } = await live()
    seen.listener!.state('disconnected')
    await vi.advanceTimersByTimeAsync(5_000)
    seen.listener!.state('connected')
    await vi.advanceTimersByTimeAsync(60_000)
    expect(session.state).toBe('live')
    seen.listener!.state('disconnected')
    await vi.advanceTimersByTimeAsync(8_000)
    expect(await session.ended).toBe('session_timeout')
  })

  test('a gateway that reported and fell silent is gone', async () => {
    const { session, seen } = await live()
    seen.listener!.rtcp('v', writeRtcp([{ type: 'rr', ssrc: 1, reports: [] }]))
    await vi.advanceTimersByTimeAsync(8_000)
    expect(await session.ended).toBe('session_timeout')
  })

  test('bye of the gateway ends it; our close says bye once; nothing is sent afterwards', async () => {
    const one = await live()
    one.session.handle({
      type: 'bye',
      v: 1,
      id: 'message-2',
      ts: 0,
      from: 'gateway',
      session: one.session.id,
      seq: 5,
      reason: 'x',
    })
    expect(await one.session.ended).toBe('peer_closed')
    const two = await live({ units: pictures({ count: 1 }) })
    two.session.close()
    two.session.close()
    expect(two.signals.filter((signal) => signal.type === 'bye')).toHaveLength(1)
    const before = two.sent.length
    two.session.accessUnit(pictures({ from: 1, count: 1 })[0]!)
    await vi.advanceTimersByTimeAsync(5_000)
    expect(two.sent).toHaveLength(before)
    expect(two.seen.closed).toBe(1)
  })
})

describe('producer session: media', () => {
  test('begins with the kept group, sound first, paced, and goes on live without a hole', async () => {
    const units = pictures({ count: 20, bytes: 20_000 })
    const { session, sent, frames, video } = await live({ units, audio: sound(5) })
    expect(sent.slice(0, 5).map((one) => one.mid)).toEqual(['a', 'a', 'a', 'a', 'a'])
    const early = video().length
    expect(early).toBeLessThan(40) // a burst, not 400 KB at once
    for (const unit of pictures({ from: 18, count: 5, bytes: 20_000 })) session.accessUnit(unit)
    await vi.advanceTimersByTimeAsync(400)
    expect(frames()).toEqual([...numbers(units), 20, 21, 22])
    const sequences = video().map((packet) => packet.sequence)
    expect(sequences).toEqual(sequences.map((_, index) => (sequences[0]! + index) & 0xffff))
    session.close()
  })

  test('pictures nobody refers to are not sent live but named', async () => {
    const units = pictures({ count: 9 })
    for (const unit of units) if (unit.frame % 3 !== 0) unit.reference = false
    const { session, frames, dropped } = await live({ units: units.slice(0, 4) })
    for (const unit of units) session.accessUnit(unit)
    await vi.advanceTimersByTimeAsync(50)
    expect(frames()).toEqual([0, 3, 6])
    session.close()
    expect(dropped).toEqual([
      [1, 2],
      [4, 5],
      [7, 8],
    ])
  })

  test('an empty ring: live begins at the next keyframe', async () => {
    const { session, frames } = await live()
    for (const unit of pictures({ from: 23, count: 4 })) session.accessUnit(unit)
    await vi.advanceTimersByTimeAsync(50)
    expect(frames()).toEqual([25, 26])
    expect(await session.firstFrame).toBe(25)
    session.close()
  })

  test('what the link cannot bear is given up to the next keyframe, and named', async () => {
    const { session, dropped, onPli, frames } = await live({ units: pictures({ count: 1 }) })
    for (const unit of pictures({ from: 1, count: 10, bytes: 1_000_000, gop: 100 })) session.accessUnit(unit)
    for (const unit of pictures({ from: 11, count: 2, gop: 12 })) session.accessUnit(unit)
    await vi.advanceTimersByTimeAsync(200)
    expect(dropped).toEqual([[1, 11]])
    expect(onPli).toHaveBeenCalled()
    expect(frames().at(-1)).toBe(12)
    session.close()
  })

  test('NACK is answered with the same packet; PLI and FIR ask the camera, not too often', async () => {
    const { session, seen, video, onPli } = await live({ units: pictures({ count: 2, bytes: 4_000 }) })
    await vi.advanceTimersByTimeAsync(50)
    const [, lost] = video()
    const before = video().length
    seen.listener!.rtcp('v', writeRtcp([{ type: 'nack', sender: 1, media: lost!.ssrc, lost: [lost!.sequence, 9] }]))
    await vi.advanceTimersByTimeAsync(10)
    expect(video()).toHaveLength(before + 1)
    expect(video().at(-1)).toMatchObject({
      sequence: lost!.sequence,
      timestamp: lost!.timestamp,
      payload: lost!.payload,
    })
    const pli = writeRtcp([{ type: 'pli', sender: 1, media: lost!.ssrc }])
    seen.listener!.rtcp('v', pli)
    seen.listener!.rtcp('v', pli)
    expect(onPli).toHaveBeenCalledTimes(1)
    await vi.advanceTimersByTimeAsync(600)
    seen.listener!.rtcp('v', writeRtcp([{ type: 'fir', sender: 1, requests: [{ ssrc: lost!.ssrc, sequence: 1 }] }]))
    expect(onPli).toHaveBeenCalledTimes(2)
    expect(session.stats.repeated).toBe(1)
    session.close()
  })

  test('a sender report for each stream every second, with its name', async () => {
    const { session, sent } = await live({ units: pictures({ count: 1 }), audio: sound(1) })
    await vi.advanceTimersByTimeAsync(1_000)
    const reports = sent
      .filter((one) => isRtcp(one.packet))
      .map((one) => [one.mid, parseRtcp(one.packet).map((p) => p.type)])
    expect(reports).toEqual([
      ['v', ['sr', 'sdes']],
      ['a', ['sr', 'sdes']],
    ])
    session.close()
  })

  test('talk reaches the sink once and in order; other payload types and rubbish do not', async () => {
    const { session, seen, talked } = await live()
    const talk = (sequence: number, payloadType = 0) =>
      writeRtp({
        marker: false,
        payloadType,
        sequence,
        timestamp: sequence * 160,
        ssrc: 5,
        extensions: [],
        payload: Uint8Array.of(sequence & 0xff),
      })
    for (const sequence of [65_535, 0, 0, 65_534, 2]) seen.listener!.rtp('t', talk(sequence))
    seen.listener!.rtp('t', talk(3, 111))
    seen.listener!.rtp('t', Uint8Array.of(1, 2, 3))
    seen.listener!.rtp('v', talk(4))
    seen.listener!.rtp('t', talk(40_000)) // another talker's numbering
    expect(talked.map((data) => data[0])).toEqual([255, 0, 2, 64])
    session.close()
  })
})
