/** What a viewer negotiated for one line. */
export interface SenderTrack {
  mid: string
  ssrc: number
  payloadType: number
  /** RFC 4588, where the viewer takes it. */
  rtx: { ssrc: number; payloadType: number } | undefined
  /** The viewer asks for lost packets again (generic NACK, RFC 4585 §6.2.1). */
  asksAgain: boolean
  /** Id of the transport-wide sequence number's extension; undefined: not negotiated. */
  transportCcId: number | undefined
}

/** What a sender needs of its consumer. */
export interface SenderLink {
  /** Sends the bytes at once, `sequence` being the transport-wide number that was written. */
  send(track: SenderTrack, bytes: Uint8Array, sequence: number | undefined): void
  /** Sends bytes again that were sent before, with the same transport-wide number. */
  sendAgain(track: SenderTrack, bytes: Uint8Array, sequence: number | undefined): void
  nextTransportSequence(): number
  /** Packets are lost on a link that has room: sound that the viewer does not ask for again is sent twice. */
  readonly soundTwice: boolean
  /** Bytes that may leave now. */
  budget(): number
  /** Believed rate in bytes per ms, and whether it may well be more. */
  readonly rate: number
  readonly probing: boolean
}
