import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { parseRtcp, writeRtcp } from '@porchlight/proto/media/rtcp.ts'
import { parseRtp, writeRtp } from '@porchlight/proto/media/rtp.ts'
import { parseSdp } from '@porchlight/proto/media/sdp.ts'
import { Audio, PeerConnection, type Track, Video } from 'node-datachannel'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { writeAnswer } from '../../../../gateway/signaling/answer-sdp.ts'
import type { EngineTrack, SessionEvents } from '../../../../gateway/webrtc/engine.ts'
import { NodeDataChannelEngine } from '../../../../gateway/webrtc/node-datachannel.ts'
import { remoteTransport } from '../../../../gateway/webrtc/remote-offer.ts'
import { freeUdpPort } from '../../../support/ports.ts'
import { quietLog } from '../../../support/quiet-log.ts'
import { withoutCandidates } from '../../../support/udp-relay.ts'

const tracks: EngineTrack[] = [
  { mid: '0', kind: 'video', direction: 'sendonly', payloadType: 102, localSsrcs: [1234, 1235], remoteSsrcs: [] },
  { mid: '1', kind: 'audio', direction: 'recvonly', payloadType: 111, localSsrcs: [], remoteSsrcs: [77] },
]

function rtp(payloadType: number, ssrc: number, sequence = 5): Uint8Array {
  const payload = new Uint8Array(1_000).fill(9)
  return writeRtp({ marker: true, payloadType, sequence, timestamp: 6, ssrc, extensions: [], payload })
}

/** A peer with the same library in the other role: offers to take video and to send sound. */
async function offerer(bindAddress = '127.0.0.1') {
  const peer = new PeerConnection('peer', { iceServers: [], bindAddress })
  const media = new Video('0', 'RecvOnly')
  media.addH264Codec(102)
  const video = peer.addTrack(media)
  const sound = new Audio('1', 'SendOnly')
  sound.addOpusCodec(111)
  sound.addSSRC(77, 'peer')
  const audio = peer.addTrack(sound)
  const gathered = new Promise<void>((resolve) => {
    peer.onGatheringStateChange((state) => state === 'complete' && resolve())
  })
  peer.setLocalDescription('offer')
  await gathered
  onTestFinished(() => peer.close())
  return { peer, video, audio, sdp: peer.localDescription()!.sdp }
}

const received = (track: Track) => {
  const packets: Buffer[] = []
  track.onMessage((bytes) => packets.push(bytes))
  return packets
}

describe('sessions of node-datachannel on one UDP port', () => {
  let port = 0
  beforeEach(async () => {
    port = await freeUdpPort()
  })

  function makeEngine(announce: string[] = [], bindAddress = '127.0.0.1') {
    const engine = new NodeDataChannelEngine({ bindAddress, port, announce, log: quietLog })
    onTestFinished(() => engine.close())
    return engine
  }

  async function connect(engine: NodeDataChannelEngine, peerAddress = '127.0.0.1') {
    const remote = await offerer(peerAddress)
    const packets: { mid: string; bytes: Uint8Array }[] = []
    const states: string[] = []
    const paths: string[] = []
    const open = new Set<string>()
    const events: SessionEvents = {
      state: (state) => states.push(state),
      path: () => paths.push('path'),
      packet: (mid, bytes) => packets.push({ mid, bytes }),
      open: (mid) => open.add(mid),
    }
    // Without its candidates: else our checks may reach the peer before our answer does, and it ends its transport then.
    const offer = parseSdp(withoutCandidates(remote.sdp)).media[0]!
    const session = engine.answer('session', remoteTransport(offer), tracks, events)
    const local = await session.local
    const sections = tracks.map(({ mid, kind, direction, payloadType, localSsrcs }) => ({
      kind,
      protocol: 'UDP/TLS/RTP/SAVPF',
      formats: [String(payloadType)],
      mid,
      accepted: {
        direction,
        payloads: [
          {
            payloadType,
            rtpmap: kind === 'video' ? 'H264/90000' : 'opus/48000/2',
            fmtp: undefined,
            feedback: ['nack'],
          },
        ],
        extensions: [],
        ssrcs: localSsrcs,
      },
    }))
    const answer = writeAnswer(sections, local)
    remote.peer.setRemoteDescription(answer, 'answer')
    await expect.poll(() => open.size, { timeout: 20_000 }).toBe(2)
    return { session, remote, packets, states, paths, local }
  }

  test('the port stays taken while nobody is there, and a port that is taken is an error that can be caught', async () => {
    const engine = makeEngine()
    const { session } = await connect(engine)
    await session.close()
    const other = createSocket('udp4')
    onTestFinished(() => void other.close())
    const taken = once(other, 'error')
    other.bind(port, '127.0.0.1')
    expect((await taken)[0]).toMatchObject({ code: 'EADDRINUSE' })
    const squatter = createSocket('udp4').bind(0, '127.0.0.1')
    onTestFinished(() => void squatter.close())
    await once(squatter, 'listening')
    const options = { bindAddress: '127.0.0.1', port: squatter.address().port, announce: [], log: quietLog }
    expect(() => new NodeDataChannelEngine(options)).toThrow(expect.objectContaining({ code: 'port_in_use' }))
  })

  test('answers with its candidate inside, takes the DTLS role at once, and connects', async () => {
    const { local, states, paths, session, remote } = await connect(makeEngine())
    expect(local.candidates).toHaveLength(1)
    expect(local.candidates[0]).toMatch(new RegExp(` 127\\.0\\.0\\.1 ${port} typ host`))
    expect(local.setup).toBe('active')
    // The library tells of lines and state on threads of their own.
    await expect.poll(() => states).toEqual(['connected'])
    expect(session.state).toBe('connected')
    expect(paths).toEqual(['path'])
    expect(session.remoteAddress).toBe(`127.0.0.1:${remote.peer.getSelectedCandidatePair()?.local.port}`)
    await session.close()
    expect(session.remoteAddress).toBeUndefined()
  })

  test('carries raw RTP and RTCP both ways, by track', async () => {
    const { session, remote, packets } = await connect(makeEngine())
    const got = received(remote.video)
    expect(session.send('0', rtp(102, 1234))).toBe(true)
    await expect.poll(() => got.length).toBe(1)
    expect(parseRtp(got[0]!)).toMatchObject({ payloadType: 102, ssrc: 1234, sequence: 5, timestamp: 6 })

    await expect.poll(() => remote.audio.isOpen()).toBe(true)
    remote.audio.sendMessageBinary(Buffer.from(rtp(111, 77)))
    remote.video.sendMessageBinary(Buffer.from(writeRtcp([{ type: 'pli', sender: 1, media: 1234 }])))
    await expect.poll(() => packets.length).toBe(2)
    expect(parseRtp(packets.find(({ mid }) => mid === '1')!.bytes)?.ssrc).toBe(77)
    expect(parseRtcp(packets.find(({ mid }) => mid === '0')!.bytes)).toEqual([{ type: 'pli', sender: 1, media: 1234 }])
  })

  test('carries RTP byte for byte, extensions too, across the wrap at 65535, and what is sent again after it', async () => {
    const { session, remote } = await connect(makeEngine())
    const video = received(remote.video)
    const extensions = [{ id: 3, data: Uint8Array.of(1, 2) }]
    // 65520 is sent for the first time when it was overtaken; the peer's library drops what comes twice.
    const sequences = [65_533, 65_534, 65_535, 0, 1, 65_534, 100, 65_520, 101]
    const expected: Buffer[] = []
    for (const [index, sequence] of sequences.entries()) {
      const packet = parseRtp(rtp(102, 1234, sequence))!
      const bytes = Buffer.from(writeRtp({ ...packet, extensions }))
      expect(session.send('0', bytes)).toBe(true)
      if (sequences.indexOf(sequence) < index) continue
      expected.push(bytes)
      await expect.poll(() => video.length).toBeGreaterThanOrEqual(expected.length)
    }
    expect(video).toEqual(expected)
  })

  test('transport-wide feedback of a viewer arrives byte for byte', async () => {
    const { remote, packets } = await connect(makeEngine())
    const arrivals = [1, 2, 3].map((sequence) => ({ sequence, atUs: sequence === 2 ? undefined : sequence * 1000 }))
    const feedback = Buffer.from(writeRtcp([{ type: 'twcc', sender: 1, media: 1234, feedback: 7, arrivals }]))
    remote.video.sendMessageBinary(feedback)
    await expect.poll(() => packets.map(({ mid, bytes }) => [mid, Buffer.from(bytes)])).toEqual([['0', feedback]])
  })

  test('connects over IPv6', async () => {
    const { session, remote, local } = await connect(makeEngine([], '::1'), '::1')
    expect(local.candidates.every((candidate) => candidate.includes(' ::1 '))).toBe(true)
    const video = received(remote.video)
    expect(session.send('0', rtp(102, 1234))).toBe(true)
    await expect.poll(() => video.length).toBe(1)
  })

  test('the bytes of a packet may be written over as soon as send has returned', async () => {
    const { session, remote } = await connect(makeEngine())
    const got = received(remote.video)
    const bytes = rtp(102, 1234)
    session.send('0', bytes)
    bytes.fill(0)
    await expect.poll(() => got.length).toBe(1)
    expect(parseRtp(got[0]!)?.payload[0]).toBe(9)
  })

  test('two sessions share the port', async () => {
    const engine = makeEngine()
    const one = await connect(engine)
    const two = await connect(engine)
    const [first, second] = [received(one.remote.video), received(two.remote.video)]
    one.session.send('0', rtp(102, 1234))
    two.session.send('0', rtp(102, 1234))
    await expect.poll(() => [first.length, second.length]).toEqual([1, 1])
    await one.session.close()
    two.session.send('0', rtp(102, 1234, 6))
    await expect.poll(() => second.length).toBe(2)
    expect(engine.sessions).toBe(1)
  })

  test('announced addresses stand in place of the found ones', async () => {
    const { sdp } = await offerer()
    const none = () => undefined
    const engine = makeEngine(['203.0.113.7', '198.51.100.1:5000'])
    const remote = remoteTransport(parseSdp(sdp).media[0]!)
    const { candidates } = await engine.answer('s', remote, tracks, { state: none, packet: none, open: none }).local
    expect(candidates.map((candidate) => candidate.split(' ').slice(4, 6).join(':'))).toEqual([
      `203.0.113.7:${port}`,
      '198.51.100.1:5000',
    ])
  })

  test('a closed session sends nothing, says nothing, and may be closed again', async () => {
    const { session } = await connect(makeEngine())
    await session.close()
    await session.close()
    expect(session.send('0', rtp(102, 1234))).toBe(false)
    expect(session.state).toBe('closed')
  })

  test('a closed engine answers nobody', async () => {
    const engine = makeEngine()
    await engine.close()
    const remote = {
      iceUfrag: 'aaaa',
      icePwd: 'a'.repeat(22),
      fingerprint: '',
      setup: 'actpass',
      candidates: [],
    } as const
    const none = () => undefined
    const answer = () =>
      engine.answer('s', { ...remote, candidates: [] }, tracks, { state: none, packet: none, open: none })
    expect(answer).toThrow('The session has ended.')
  })
})

describe('what a stranger’s SDP may put into ours', () => {
  test.each([
    ['ice-ufrag', 'a=ice-ufrag:ab cd'],
    ['ice-pwd', 'a=ice-pwd:short'],
    ['fingerprint', 'a=fingerprint:md5 AA'],
    ['setup', 'a=setup:holdconn'],
  ])('a bad %s is refused', (field, line) => {
    const good = [
      'm=video 9 UDP/TLS/RTP/SAVPF 96',
      'a=ice-ufrag:abcd',
      `a=ice-pwd:${'p'.repeat(22)}`,
      `a=fingerprint:sha-256 ${Array.from({ length: 32 }, () => 'AA').join(':')}`,
      'a=setup:actpass',
    ]
    const bad = good.map((one) => (one.startsWith(line.split(':')[0]!) ? line : one))
    expect(remoteTransport(parseSdp(['v=0', ...good].join('\n')).media[0]!).iceUfrag).toBe('abcd')
    expect(() => remoteTransport(parseSdp(['v=0', ...bad].join('\n')).media[0]!)).toThrow(field)
  })
})
