/** One codec of a media line. */
export interface LineCodec {
  payloadType: number
  /** Encoding name and clock as in `a=rtpmap`: `H264/90000`, `opus/48000/2`. */
  rtpmap: string
  /** Parameters of `a=fmtp`. */
  fmtp?: string
  /** Values of `a=rtcp-fb`: `nack`, `nack pli`, `transport-cc`. */
  feedback?: readonly string[]
}

/** One media section of an offer. */
export interface MediaLine {
  mid: string
  kind: 'video' | 'audio'
  direction: 'sendonly' | 'recvonly'
  codec: LineCodec
  /** Ours, where we send: the receiver finds the line by it, so it must stand in the SDP. */
  ssrc?: number
  extensions: readonly { id: number; uri: string }[]
}

export interface SessionOptions {
  media: readonly MediaLine[]
  /** `stun:host:port`, `turn:user:password@host:port?transport=udp`, `turns:…`. */
  iceServers: readonly string[]
  /** Only this local address is used; absent: all of them. */
  bindAddress?: string
}

export type SessionState = 'new' | 'connecting' | 'connected' | 'disconnected' | 'failed' | 'closed'

/** What a session tells its owner. Never called after `close()`. A listener must not throw. */
export interface SessionListener {
  state(state: SessionState): void
  /** All media lines can carry packets now. Once. */
  open(): void
  /** An RTP packet arrived on a line; the bytes belong to the listener. */
  rtp(mid: string, packet: Uint8Array): void
  /** A compound RTCP packet that concerns a line. */
  rtcp(mid: string, packet: Uint8Array): void
  /** A local candidate; only from `answer()` on. */
  candidate(candidate: string, mid: string): void
}

/** One WebRTC connection that we offer. */
export interface EngineSession {
  /**
   * The offer, without candidates: they are told to the listener once the answer is there. We are the DTLS server
   * (`a=setup:passive`). @throws PorchlightError `internal`
   */
  offer(): Promise<string>
  /** Takes the peer's answer. @throws PorchlightError `sdp_invalid` */
  answer(sdp: string): void
  /** A candidate of the peer's; one that cannot be read is ignored. */
  addCandidate(candidate: string, mid: string): void
  /** Sends one RTP or RTCP packet; false where the line is not open (any more). Never throws. */
  send(mid: string, packet: Uint8Array): boolean
  /** Round trip measured by the engine, ms, where it knows. */
  readonly roundTripMs: number | undefined
  /** Idempotent. */
  close(): void
}

/** A WebRTC transport: ICE, DTLS, SRTP. Everything above the packet is ours. */
export interface Engine {
  readonly name: string
  open(options: SessionOptions, listener: SessionListener): EngineSession
}
