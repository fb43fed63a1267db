import { parseSdp } from '@porchlight/proto/media/sdp.ts'
import { writeAnswer } from '../../../gateway/signaling/answer-sdp.ts'
import type { EngineTrack, WebRtcEngine } from '../../../gateway/webrtc/engine.ts'
import { remoteTransport } from '../../../gateway/webrtc/remote-offer.ts'
import { relaySdp, withoutCandidates } from '../../support/udp-relay.ts'
import type { EngineEnd, Peer } from './engine-under-attack.ts'
import { Inbox } from './inbox.ts'
import { lines } from './lines.ts'
import { type Alteration, openWire } from './wire.ts'

/** A session of a gateway's engine: the peer offers, and knows only the wire's address. */
export async function openGatewayEnd(
  engine: WebRtcEngine,
  port: number,
  peer: Peer,
  alter?: Alteration,
): Promise<EngineEnd> {
  const { media } = parseSdp(withoutCandidates(await peer.offer()))
  const address = { address: '127.0.0.1', port }
  const wire = await openWire(port, 'up', alter)
  const states: string[] = []
  const inbox = new Inbox()
  const sections = media.map(({ kind, protocol, formats, mid = '' }) => {
    const { payloadType, ssrc } = kind === 'video' ? lines.video : lines.audio
    const direction = kind === 'video' ? ('sendonly' as const) : ('recvonly' as const)
    const track: EngineTrack = {
      mid,
      kind: kind === 'video' ? 'video' : 'audio',
      direction,
      payloadType,
      localSsrcs: kind === 'video' ? [ssrc] : [],
      remoteSsrcs: kind === 'video' ? [] : [ssrc],
    }
    const rtpmap = kind === 'video' ? 'H264/90000' : 'opus/48000/2'
    const payloads = [{ payloadType, rtpmap, fmtp: undefined, feedback: [] }]
    const accepted = { direction, payloads, extensions: [], ssrcs: track.localSsrcs }
    return { track, section: { kind, protocol, formats, mid, accepted } }
  })
  const session = engine.answer(
    'attacked',
    remoteTransport(media[0]!),
    sections.map(({ track }) => track),
    { state: (state) => states.push(state), packet: (_, bytes) => inbox.take(bytes), open: () => undefined },
  )
  const answer = writeAnswer(
    sections.map(({ section }) => section),
    await session.local,
  )
  await peer.accept(relaySdp(answer, wire.port))
  const videoMid = sections.find(({ track }) => track.kind === 'video')!.track.mid
  return {
    states,
    inbox,
    send: (packet) => session.send(videoMid, packet),
    address,
    fromPeer: wire.fromPeer,
    spoof: wire.spoof,
    catchNext: wire.catchNext,
    close: async () => {
      await session.close()
      await wire.close()
    },
  }
}
