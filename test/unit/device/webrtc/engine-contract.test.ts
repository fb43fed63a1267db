import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { writeRtcp } from '@porchlight/proto/media/rtcp.ts'
import { parseRtp, writeRtp } from '@porchlight/proto/media/rtp.ts'
import { parseSdp } from '@porchlight/proto/media/sdp.ts'
import { pino } from 'pino'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { EngineSession, SessionListener, SessionOptions, SessionState } from '../../../../device/webrtc/engine.ts'
import { nodeDataChannelEngine } from '../../../../device/webrtc/node-datachannel.ts'
import { offerLines } from '../../../../device/webrtc/offer-lines.ts'
import { weriftEngine } from '../../../../device/webrtc/werift/engine.ts'
import { GatewayPeer, talkSsrc } from './gateway-peer.ts'

const log = pino({ level: 'silent' })
const engines = [nodeDataChannelEngine(log), weriftEngine(log)]
const media = offerLines({
  video: { payloadType: 96, rtpmap: 'H264/90000', fmtp: 'packetization-mode=1', feedback: ['nack', 'transport-cc'] },
  videoSsrc: 1000,
  audio: { payloadType: 111, rtpmap: 'opus/48000/2', fmtp: 'useinbandfec=1', feedback: ['nack'] },
  audioSsrc: 4_000_000_000,
  talk: 'pcmu',
})

interface Heard {
  states: SessionState[]
  candidates: string[]
  answeredAt?: number
  openedAt?: number
  rtp: { mid: string; packet: Uint8Array }[]
  rtcp: { mid: string; packet: Uint8Array }[]
  opened: Promise<void>
  next: () => Promise<void>
}

function listen(): { listener: SessionListener; heard: Heard } {
  const opened = Promise.withResolvers<void>()
  let something = Promise.withResolvers<void>()
  const tell = () => {
    something.resolve()
    something = Promise.withResolvers<void>()
  }
  const heard: Heard = {
    states: [],
    candidates: [],
    rtp: [],
    rtcp: [],
    opened: opened.promise,
    next: () => something.promise,
  }
  const listener: SessionListener = {
    state: (state) => heard.states.push(state),
    open: () => {
      heard.openedAt = performance.now()
      opened.resolve()
    },
    rtp: (mid, packet) => {
      heard.rtp.push({ mid, packet })
      tell()
    },
    rtcp: (mid, packet) => {
      heard.rtcp.push({ mid, packet })
      tell()
    },
    candidate: (candidate) => heard.candidates.push(candidate),
  }
  return { listener, heard }
}

const rtp = (ssrc: number, payloadType: number, sequence = 1) =>
  writeRtp({
    marker: false,
    payloadType,
    sequence,
    timestamp: 0,
    ssrc,
    extensions: [{ id: 3, data: Uint8Array.of(1, 2) }],
    payload: Uint8Array.of(9, 8, 7),
  })

describe.each(engines)('what we rely on in $name', (engine) => {
  function open(listener: SessionListener, options: Partial<SessionOptions> = {}): EngineSession {
    const session = engine.open({ media, iceServers: [], bindAddress: '127.0.0.1', ...options }, listener)
    onTestFinished(() => session.close())
    return session
  }

  function gatewayPeer(bindAddress?: string): GatewayPeer {
    const peer = new GatewayPeer(bindAddress)
    onTestFinished(() => peer.close())
    return peer
  }

  async function connected(pause: () => void = () => undefined, options: Partial<SessionOptions> = {}) {
    const { listener, heard } = listen()
    const session = open(listener, options)
    const peer = gatewayPeer(options.bindAddress)
    const answer = await peer.answer(await session.offer())
    pause()
    heard.answeredAt = performance.now()
    session.answer(answer)
    await heard.opened
    await peer.until(() => [...peer.tracks.values()].filter((track) => track.isOpen()).length === 3)
    return { session, heard, peer }
  }

  test('an offer has our lines, codecs and extensions, one bundle, and no candidates', async () => {
    const sdp = parseSdp(await open(listen().listener).offer())
    expect(sdp.media.map((one) => [one.mid, one.kind, one.direction, one.payloadTypes, one.setup])).toEqual([
      ['v', 'video', 'sendonly', [96], 'passive'],
      ['a', 'audio', 'sendonly', [111], 'passive'],
      ['t', 'audio', 'recvonly', [0], 'passive'],
    ])
    expect(sdp.attributes).toContainEqual({ name: 'group', value: 'BUNDLE v a t' })
    expect(sdp.media[0]!.rtpmaps.get(96)).toMatchObject({ codec: 'H264', clockRate: 90_000 })
    expect(sdp.media[0]!.fmtps.get(96)?.get('packetization-mode')).toBe('1')
    expect(sdp.media[1]!.rtpmaps.get(111)).toMatchObject({ codec: 'opus', clockRate: 48_000, channels: 2 })
    expect(sdp.media[0]!.extmaps.map((one) => one.id)).toEqual([1, 2, 3])
    expect(sdp.media[0]!.attributes).toContainEqual({ name: 'rtcp-fb', value: '96 transport-cc' })
    expect(sdp.media[0]!.attributes).toContainEqual({ name: 'ssrc', value: '1000 cname:porchlight' })
    expect(sdp.media.flatMap((one) => one.candidates)).toEqual([])
  })

  test('opens at once, ten times out of ten, however busy we are; only the bound address is told', async () => {
    for (let round = 0; round < 10; round++) {
      const { heard, peer } = await connected(() => {
        // The library's threads go on while ours does not.
        const until = performance.now() + round * 10
        while (performance.now() < until);
      })
      expect(heard.states).toContain('connected')
      expect(heard.states).not.toContain('failed')
      // A lost ClientHello would cost its retransmission time of 1 s.
      expect(heard.openedAt! - heard.answeredAt!).toBeLessThan(950)
      expect(heard.candidates).toHaveLength(1)
      expect(heard.candidates[0]).toContain(' 127.0.0.1 ')
      peer.close()
    }
  })

  test('RTP goes to the line of its SSRC, bytes as they were; an SSRC that was not announced arrives nowhere', async () => {
    const { session, peer } = await connected()
    const video = rtp(1000, 96)
    expect(session.send('v', rtp(77, 96))).toBe(true)
    expect(session.send('v', video)).toBe(true)
    video.fill(0) // the library has its own copy
    expect(session.send('a', rtp(4_000_000_000, 111))).toBe(true)
    await peer.until(() => peer.received.length >= 2)
    // The peer's library tells of each line by itself.
    expect(peer.received.map((one) => one.mid).sort()).toEqual(['a', 'v'])
    expect(parseRtp(peer.of('v')[0]!)).toMatchObject({ ssrc: 1000, payloadType: 96 })
    expect(parseRtp(peer.of('v')[0]!)!.extensions).toHaveLength(1)
  })

  test("the peer's talk arrives where its answer announces the SSRC", async () => {
    const { heard, peer } = await connected()
    peer.send('t', rtp(talkSsrc, 0))
    while (heard.rtp.length === 0) await heard.next()
    expect(heard.rtp[0]!.mid).toBe('t')
    expect([...parseRtp(heard.rtp[0]!.packet)!.payload]).toEqual([9, 8, 7])
  })

  test('RTCP goes both ways raw, found by the SSRC it names', async () => {
    const { session, heard, peer } = await connected()
    const report = writeRtcp([{ type: 'sr', ssrc: 1000, ntp: 1n, rtp: 2, packets: 3, octets: 4, reports: [] }])
    expect(session.send('v', report)).toBe(true)
    await peer.until(() => peer.of('v').length === 1)
    expect([...peer.of('v')[0]!]).toEqual([...report])
    peer.send('v', writeRtcp([{ type: 'nack', sender: 1, media: 1000, lost: [5] }]))
    peer.send('v', writeRtcp([{ type: 'pli', sender: 1, media: 4_000_000_000 }]))
    while (heard.rtcp.length < 2) await heard.next()
    expect(heard.rtcp.map((one) => one.mid)).toEqual(['v', 'a'])
  })

  test('RTP arrives byte for byte, its extensions with it, across the wrap at 65535, and what is sent again after it too', async () => {
    const { session, peer } = await connected()
    // The last but one was not sent before it was overtaken; those that come twice the peer's library drops (RFC 3711 §3.3.2).
    const sequences = [65_533, 65_534, 65_535, 0, 1, 2, 65_534, 65_535, 100, 65_520, 101]
    const expected: Buffer[] = []
    for (const [index, sequence] of sequences.entries()) {
      const packet = Buffer.from(rtp(1000, 96, sequence))
      expect(session.send('v', packet)).toBe(true)
      if (sequences.indexOf(sequence) < index) continue
      expected.push(packet)
      await peer.until(() => peer.of('v').length >= expected.length)
    }
    expect(peer.of('v')).toEqual(expected)
  })

  test('the peer’s RTP arrives across the wrap, the last number before it lost', async () => {
    const { heard, peer } = await connected()
    const sequences = [65_530, 65_533, 65_534, 0, 1, 2]
    for (const [index, sequence] of sequences.entries()) {
      peer.send('t', rtp(talkSsrc, 0, sequence))
      while (heard.rtp.length <= index) await heard.next()
    }
    expect(heard.rtp.map(({ packet }) => parseRtp(packet)!.sequence)).toEqual(sequences)
  })

  test('transport-wide feedback arrives byte for byte', async () => {
    const { heard, peer } = await connected()
    const arrivals = [1, 2, 3, 4, 5].map((sequence) => ({
      sequence,
      atUs: sequence === 3 ? undefined : sequence * 1000,
    }))
    const feedback = writeRtcp([{ type: 'twcc', sender: 1, media: 1000, feedback: 7, arrivals }])
    peer.send('v', feedback)
    while (heard.rtcp.length === 0) await heard.next()
    expect(heard.rtcp).toEqual([{ mid: 'v', packet: Buffer.from(feedback) }])
  })

  test('connects over IPv6, on the bound address alone', async () => {
    const { session, heard, peer } = await connected(undefined, { bindAddress: '::1' })
    expect(heard.candidates).toEqual([expect.stringMatching(/ UDP \d+ ::1 \d+ typ host/)])
    expect(session.send('v', rtp(1000, 96))).toBe(true)
    await peer.until(() => peer.of('v').length === 1)
  })

  test('neither the offer nor the opening waits for a STUN server that is silent', async () => {
    const silent = createSocket('udp4').bind(0, '127.0.0.1')
    onTestFinished(() => void silent.close())
    await once(silent, 'listening')
    const asked = once(silent, 'message')
    const iceServers = [`stun:127.0.0.1:${silent.address().port}`]
    const { heard } = await connected(undefined, { iceServers })
    expect(heard.states).toContain('connected')
    await asked
  })

  test('sending before the opening and after the closing is refused and does not throw; closing twice is nothing', async () => {
    const early = open(listen().listener)
    expect(early.send('v', rtp(1000, 96))).toBe(false)
    expect(early.send('nowhere', rtp(1000, 96))).toBe(false)
    const { session } = await connected()
    session.close()
    session.close()
    expect(session.send('v', rtp(1000, 96))).toBe(false)
  })

  test('an answer that is none is a coded error', async () => {
    const session = open(listen().listener)
    await session.offer()
    expect(() => session.answer('this is no SDP')).toThrow(expect.objectContaining({ code: 'sdp_invalid' }))
    expect(() => session.addCandidate('nonsense', 'v')).not.toThrow()
  })
})

test('werift is loaded as ECMAScript module: its CommonJS build takes thirty times as long for a header', () => {
  expect(import.meta.resolve('werift')).toMatch(/\.mjs$/)
})
