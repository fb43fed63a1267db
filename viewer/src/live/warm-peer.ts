import { askForLostSound } from './ask-for-lost-sound.ts'
import { relay } from './relay.ts'

/** A peer connection with its offer made, waiting for a camera to be tapped. */
export interface ReadyPeer {
  pc: RTCPeerConnection
  offer: string
  video: RTCRtpTransceiver
  audio: RTCRtpTransceiver
  /** The talk line: negotiated now, opened later by `replaceTrack`. */
  talk: RTCRtpTransceiver
}

/** A prepared peer older than this is thrown away: the network may have changed under it. ms */
const freshMs = 60_000

let kept: { peer: Promise<ReadyPeer>; madeAt: number } | undefined

/** Makes the peer connection (keys, certificate, offer) ahead of the tap. */
export function warmUp(): void {
  if (kept && performance.now() - kept.madeAt < freshMs) return
  forget()
  const peer = makePeer()
  kept = { peer, madeAt: performance.now() }
  peer.catch((error: unknown) => {
    console.warn('A connection could not be prepared:', error)
    kept = undefined
  })
}

/** Takes the prepared peer, or makes one. */
export function takePeer(): Promise<ReadyPeer> {
  warmUp()
  const peer = kept!.peer
  kept = undefined
  return peer
}

/** Closes what was prepared. */
export function forget(): void {
  kept?.peer.then(
    ({ pc }) => pc.close(),
    (error: unknown) => console.warn('A connection could not be prepared:', error),
  )
  kept = undefined
}

async function makePeer(): Promise<ReadyPeer> {
  const pc = new RTCPeerConnection({
    bundlePolicy: 'max-bundle',
    rtcpMuxPolicy: 'require',
    iceServers: relay.servers(),
  })
  const video = pc.addTransceiver('video', { direction: 'recvonly' })
  const audio = pc.addTransceiver('audio', { direction: 'recvonly' })
  const talk = pc.addTransceiver('audio', { direction: 'sendonly' })
  await pc.setLocalDescription()
  const offer = pc.localDescription?.sdp
  if (!offer) throw new Error('The browser made no offer')
  return { pc, offer: askForLostSound(offer), video, audio, talk }
}
