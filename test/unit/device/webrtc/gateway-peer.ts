import nodeDataChannel, { type PeerConnection, type Track } from 'node-datachannel'

/** SSRC that the peer talks with; it stands in its answer, for our side finds the line by it. */
export const talkSsrc = 555_000

/** The other end of a session as the gateway is: answers, takes what comes, sends what it is told. */
export class GatewayPeer {
  readonly tracks = new Map<string, Track>()
  readonly received: { mid: string; packet: Buffer }[] = []
  readonly states: string[] = []
  readonly #peer: PeerConnection
  readonly #watchers = new Set<() => void>()

  constructor(bindAddress = '127.0.0.1') {
    this.#peer = new nodeDataChannel.PeerConnection('gateway', {
      iceServers: [],
      bindAddress,
      disableAutoNegotiation: true,
      forceMediaTransport: true,
    })
    this.#peer.onStateChange((state) => {
      this.states.push(state)
      this.#wake()
    })
    this.#peer.onTrack((track) => {
      this.tracks.set(track.mid(), track)
      track.onMessage((packet) => {
        this.received.push({ mid: track.mid(), packet })
        this.#wake()
      })
      track.onOpen(() => this.#wake())
    })
  }

  async answer(offer: string): Promise<string> {
    const gathered = Promise.withResolvers<void>()
    this.#peer.onGatheringStateChange((state) => {
      if (state === 'complete') gathered.resolve()
    })
    this.#peer.setRemoteDescription(offer, 'offer')
    this.#peer.setLocalDescription('answer')
    await gathered.promise
    const sdp = this.#peer.localDescription()!.sdp
    return sdp.replace('a=mid:t\r\n', `a=mid:t\r\na=ssrc:${talkSsrc} cname:gateway\r\n`)
  }

  send(mid: string, packet: Uint8Array): boolean {
    return this.tracks.get(mid)!.sendMessageBinary(Buffer.from(packet))
  }

  /** Resolves when it holds; looked at after everything that happens here. */
  until(holds: () => boolean): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const look = () => {
      if (!holds()) return
      this.#watchers.delete(look)
      resolve()
    }
    this.#watchers.add(look)
    look()
    return promise
  }

  of(mid: string): Buffer[] {
    return this.received.filter((one) => one.mid === mid).map((one) => one.packet)
  }

  close(): void {
    this.tracks.clear()
    this.#peer.close()
  }

  #wake(): void {
    for (const look of [...this.#watchers]) look()
  }
}
