import { PorchlightError } from '@porchlight/proto/errors.ts'
import { whepPath } from '../api/calls.ts'
import { request } from '../api/request.ts'
import { awaitRepairs } from './await-repairs.ts'
import { type ReadyPeer, takePeer } from './warm-peer.ts'

/** A live session of this page with one camera. */
export interface WhepSession {
  /** The gateway's name for it: the talk floor is asked for with it. */
  readonly id: string
  readonly stream: MediaStream
  readonly video: RTCRtpReceiver
  /** Sends what the microphone hears; undefined where the camera takes no talk. */
  readonly talk: RTCRtpSender | undefined
  readonly hasAudio: boolean
  /** What the browser counts of the whole connection. */
  stats(): Promise<RTCStatsReport>
  /** Whether a path to the gateway was found. */
  isThrough(): boolean
  close(): void
}

/**
 * Opens a camera by WHEP: one POST, no waiting for candidates (the gateway's stand in its answer, and it learns ours,
 * a relayed one too, from the first check).
 * @param lost called once when the connection has ended by itself
 * @throws PorchlightError what the gateway says, `codec_unsupported`, `sdp_invalid`, `webrtc_unavailable`
 */
export async function openWhep(
  camera: string,
  lost: (error: PorchlightError) => void,
  signal: AbortSignal,
): Promise<WhepSession> {
  const peer = await takePeer().catch((cause: unknown) => {
    throw new PorchlightError('webrtc_unavailable', undefined, { cause })
  })
  try {
    signal.throwIfAborted()
    return await exchange(camera, peer, lost, signal)
  } catch (error) {
    peer.pc.close()
    throw error
  }
}

async function exchange(
  camera: string,
  peer: ReadyPeer,
  lost: (error: PorchlightError) => void,
  signal: AbortSignal,
): Promise<WhepSession> {
  const { pc } = peer
  const response = await request(whepPath(camera), {
    method: 'POST',
    type: 'application/sdp',
    body: peer.offer,
    signal,
  })
  const location = response.headers.get('location')
  if (!location) throw new PorchlightError('sdp_invalid', 'no Location')
  const leave = () => {
    request(location, { method: 'DELETE', keepalive: true }).catch((error: unknown) => {
      // The session ends by its own deadline where this is not heard.
      console.info('The gateway was not told of the end of a session:', error)
    })
  }
  try {
    await accept(peer, await response.text())
    signal.throwIfAborted()
  } catch (error) {
    leave()
    throw error
  }
  let open = true
  const stopAwaiting = awaitRepairs(pc, peer.video.receiver)
  const ended = () => {
    if (!open) return
    const over = pc.connectionState === 'failed' || pc.connectionState === 'closed'
    // Chromium's connectionState learns of a DTLS close_notify seconds after the transport does.
    if (over || peer.video.receiver.transport?.state === 'closed') lost(new PorchlightError('session_ended'))
  }
  pc.addEventListener('connectionstatechange', ended)
  peer.video.receiver.transport?.addEventListener('statechange', ended)
  return {
    id: location.slice(location.lastIndexOf('/') + 1),
    stream: new MediaStream([peer.video.receiver.track, peer.audio.receiver.track]),
    video: peer.video.receiver,
    talk: sends(peer.talk) ? peer.talk.sender : undefined,
    hasAudio: receives(peer.audio),
    stats: () => pc.getStats(),
    isThrough: () => pc.iceConnectionState === 'connected' || pc.iceConnectionState === 'completed',
    close: () => {
      if (!open) return
      open = false
      stopAwaiting()
      pc.close()
      leave()
    },
  }
}

async function accept(peer: ReadyPeer, answer: string): Promise<void> {
  try {
    await peer.pc.setRemoteDescription({ type: 'answer', sdp: answer })
  } catch (cause) {
    throw new PorchlightError('sdp_invalid', undefined, { cause })
  }
  if (!receives(peer.video)) throw new PorchlightError('codec_unsupported')
}

function receives(transceiver: RTCRtpTransceiver): boolean {
  return transceiver.currentDirection === 'recvonly' || transceiver.currentDirection === 'sendrecv'
}

function sends(transceiver: RTCRtpTransceiver): boolean {
  return transceiver.currentDirection === 'sendonly' || transceiver.currentDirection === 'sendrecv'
}
