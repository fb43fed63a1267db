import { parseSdp } from '@porchlight/proto/media/sdp.ts'
import type { Engine, MediaLine } from '../../../device/webrtc/engine.ts'
import { relaySdp } from '../../support/udp-relay.ts'
import type { EngineEnd, Peer } from './engine-under-attack.ts'
import { Inbox } from './inbox.ts'
import { lines } from './lines.ts'
import { type Alteration, openWire } from './wire.ts'

const { video, audio } = lines
const media: readonly MediaLine[] = [
  {
    mid: video.mid,
    kind: 'video',
    direction: 'sendonly',
    codec: { payloadType: video.payloadType, rtpmap: 'H264/90000', fmtp: 'packetization-mode=1' },
    ssrc: video.ssrc,
    extensions: [],
  },
  {
    mid: audio.mid,
    kind: 'audio',
    direction: 'recvonly',
    codec: { payloadType: audio.payloadType, rtpmap: 'opus/48000/2' },
    extensions: [],
  },
]

/** A session of a device's engine: the peer answers, and the device is told only the wire's address. */
export async function openDeviceEnd(engine: Engine, peer: Peer, alter?: Alteration): Promise<EngineEnd> {
  const states: string[] = []
  const inbox = new Inbox()
  const session = engine.open(
    { media, iceServers: [], bindAddress: '127.0.0.1' },
    {
      state: (state) => states.push(state),
      open: () => undefined,
      rtp: (_, packet) => inbox.take(packet),
      rtcp: () => undefined,
      candidate: () => undefined,
    },
  )
  const answer = await peer.answer(await session.offer())
  const wire = await openWire(portOf(answer), 'down', alter)
  session.answer(relaySdp(answer, wire.port))
  return {
    states,
    inbox,
    send: (packet) => session.send(video.mid, packet),
    get address() {
      return wire.client()
    },
    fromPeer: wire.fromPeer,
    spoof: wire.spoof,
    catchNext: wire.catchNext,
    close: async () => {
      session.close()
      await wire.close()
    },
  }
}

function portOf(sdp: string): number {
  const candidates = parseSdp(sdp).media.flatMap((section) => section.candidates)
  const port = candidates.map((one) => / udp \d+ 127\.0\.0\.1 (\d+) typ host/i.exec(one)?.[1]).find((one) => one)
  if (port === undefined) throw new Error('the peer has no candidate on 127.0.0.1')
  return Number(port)
}
