/**
 * The WebRTC engine as the gateway sees it: it answers, does ICE, DTLS and SRTP, and hands RTP and RTCP bytes in and out.
 * Session descriptions are read and written by us (gateway/signaling), so an engine never sees a stranger's SDP.
 */

/** What one side tells the other about its transport. */
export interface TransportParameters {
  iceUfrag: string
  icePwd: string
  /** `sha-256 AA:BB:…` */
  fingerprint: string
  setup: 'active' | 'passive' | 'actpass'
  /** Each as `candidate:…`. */
  candidates: string[]
}

export interface EngineTrack {
  mid: string
  kind: 'video' | 'audio'
  /** As we see it. */
  direction: 'sendonly' | 'recvonly'
  payloadType: number
  /** Our own sources of this track; RTCP that names them arrives here. */
  localSsrcs: readonly number[]
  /** The other side's sources: their RTP and RTCP arrive here. */
  remoteSsrcs: readonly number[]
}

export type TransportState = 'connecting' | 'connected' | 'disconnected' | 'failed' | 'closed'

export interface SessionEvents {
  state(state: TransportState): void
  /** ICE has found a path; keys for media are still to come. For whoever times it. */
  path?(): void
  /** RTP or RTCP of a track, decrypted. The bytes belong to the receiver. Must not throw. */
  packet(mid: string, bytes: Uint8Array): void
  /** A track can send from now on. */
  open(mid: string): void
}

export interface EngineSession extends AsyncDisposable {
  /** Our half, candidates included. @throws PorchlightError `internal` */
  readonly local: Promise<TransportParameters>
  readonly state: TransportState
  /** `address:port` (`[address]:port` of IPv6) at the other end of the path; undefined while there is none. */
  readonly remoteAddress: string | undefined
  addRemoteCandidate(candidate: string, mid: string): void
  /** Sends RTP or RTCP at once; false where the track is not open or the transport refuses. Never throws. */
  send(mid: string, bytes: Uint8Array): boolean
  /** Idempotent; no event comes after it. */
  close(): Promise<void>
}

export interface WebRtcEngine extends AsyncDisposable {
  readonly name: string
  /**
   * Answers one offer.
   * @param id for logs
   * @throws PorchlightError `sdp_invalid` where the other side's parameters make no sense, `session_ended` after `close`
   */
  answer(id: string, remote: TransportParameters, tracks: readonly EngineTrack[], events: SessionEvents): EngineSession
  /** Closes every session. Idempotent. */
  close(): Promise<void>
}
