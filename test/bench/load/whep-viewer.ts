import { transportCcId, transportCcUri } from '@porchlight/proto/media/rtp-extensions.ts'
import nodeDataChannel, { type PeerConnection } from 'node-datachannel'
import { withoutCandidates } from '../../support/udp-relay.ts'
import { within } from '../../support/within.ts'
import type { WhepTarget } from '../whep-page.ts'
import { addCandidates, type LoadViewer, newPeer } from './load-viewer.ts'
import { Receiver } from './receiver.ts'

const answerMs = 15_000

/** Joins by WHEP. Resolves when the answer is there. */
export async function joinWhep({ whep, headers }: Omit<WhepTarget, 'page'>): Promise<LoadViewer> {
  const peer = newPeer()
  const tracks = offerLines(peer)
  const described = Promise.withResolvers<string>()
  peer.onLocalDescription((sdp) => described.resolve(sdp))
  peer.setLocalDescription('offer')
  const body = withoutCandidates(await within("the viewer's offer", answerMs, described.promise))
  const reply = await fetch(whep, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/sdp' },
    body,
    signal: AbortSignal.timeout(answerMs),
  })
  const answer = await reply.text()
  if (reply.status !== 201) throw new Error(`WHEP: ${reply.status} ${answer}`)
  const receiver = new Receiver(answer)
  for (const track of tracks) receiver.take(track)
  peer.setRemoteDescription(withoutCandidates(answer), 'answer')
  addCandidates(peer, answer)
  return {
    counts: () => receiver.counts,
    close: async () => {
      receiver.close()
      peer.close()
    },
  }
}

function offerLines(peer: PeerConnection) {
  const video = new nodeDataChannel.Video('0', 'RecvOnly')
  video.addH264Codec(96, 'profile-level-id=42e01f;packetization-mode=1;level-asymmetry-allowed=1')
  video.parseSdpLine('a=rtcp-fb:96 transport-cc')
  video.parseSdpLine(`a=extmap:${transportCcId} ${transportCcUri}`)
  const audio = new nodeDataChannel.Audio('1', 'RecvOnly')
  audio.addOpusCodec(111)
  audio.addAudioCodec(0, 'PCMU/8000')
  audio.parseSdpLine(`a=extmap:${transportCcId} ${transportCcUri}`)
  return [peer.addTrack(video), peer.addTrack(audio)]
}
