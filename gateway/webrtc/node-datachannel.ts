import { randomBytes } from 'node:crypto'
import { isIP } from 'node:net'
import { asBuffer } from '@porchlight/proto/as-buffer.ts'
import { PorchlightError } from '@porchlight/proto/errors.ts'
import { parseSdp } from '@porchlight/proto/media/sdp.ts'
import { Audio, IceUdpMuxListener, PeerConnection, type Track, Video } from 'node-datachannel'
import type { Logger } from 'pino'
import { announceCandidates, doorCandidates } from './candidates.ts'
import type {
  EngineSession,
  EngineTrack,
  SessionEvents,
  TransportParameters,
  TransportState,
  WebRtcEngine,
} from './engine.ts'
import type { RelayDoor } from './relay-door.ts'
import { remoteOfferSdp } from './remote-offer.ts'

export interface NodeDataChannelOptions {
  /** Address to bind, e.g. `127.0.0.1` or `0.0.0.0`. */
  bindAddress: string
  /** The one UDP port of all sessions. */
  port: number
  /** Addresses told to the other side in place of those found on the interfaces (port forwarding, cloud NAT). */
  announce: readonly string[]
  /** The way in for those who come over a relay by TCP. */
  door?: RelayDoor | undefined
  log: Logger
}

const directions = { sendonly: 'SendOnly', recvonly: 'RecvOnly' } as const

/** Sessions of libdatachannel, all on one UDP port (libjuice's mux tells them apart by ufrag). */
export class NodeDataChannelEngine implements WebRtcEngine {
  readonly name = 'node-datachannel'
  readonly #options: NodeDataChannelOptions
  /**
   * Holds the port while there is no session. Else somebody may take it meanwhile, and the library then ends the whole process:
   * a session that finds no candidates throws where nothing catches.
   */
  readonly #port: IceUdpMuxListener
  readonly #sessions = new Set<NodeDataChannelSession>()
  #closed = false

  /** @throws PorchlightError `port_in_use` */
  constructor(options: NodeDataChannelOptions) {
    this.#options = options
    const { bindAddress, port } = options
    try {
      this.#port = new IceUdpMuxListener(port, bindAddress)
    } catch (cause) {
      throw new PorchlightError('port_in_use', `media ${bindAddress}:${port}/udp`, { cause })
    }
  }

  get sessions(): number {
    return this.#sessions.size
  }

  answer(
    id: string,
    remote: TransportParameters,
    tracks: readonly EngineTrack[],
    events: SessionEvents,
  ): EngineSession {
    if (this.#closed) throw new PorchlightError('session_ended', 'the gateway is stopping')
    const session = new NodeDataChannelSession(id, this.#options, remote, tracks, events, () => {
      this.#sessions.delete(session)
    })
    this.#sessions.add(session)
    return session
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await Promise.all([...this.#sessions].map((session) => session.close()))
    this.#port.stop()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}

class NodeDataChannelSession implements EngineSession {
  readonly local: Promise<TransportParameters>
  readonly #peer: PeerConnection
  readonly #tracks = new Map<string, Track>()
  readonly #events: SessionEvents
  readonly #log: Logger
  readonly #onClosed: () => void
  #state: TransportState = 'connecting'
  #shutDoor: (() => void) | undefined
  #closed = false

  constructor(
    id: string,
    options: NodeDataChannelOptions,
    remote: TransportParameters,
    tracks: readonly EngineTrack[],
    events: SessionEvents,
    onClosed: () => void,
  ) {
    this.#events = events
    this.#onClosed = onClosed
    this.#log = options.log.child({ session: id })
    this.#peer = new PeerConnection(id, {
      iceServers: [],
      bindAddress: options.bindAddress,
      enableIceUdpMux: true,
      portRangeBegin: options.port,
      portRangeEnd: options.port,
      // Both descriptions are set by hand: nothing is negotiated behind our back.
      disableAutoNegotiation: true,
      forceMediaTransport: true,
    })
    try {
      this.#peer.onStateChange((state) => this.#stateChanged(state))
      this.#peer.onIceStateChange((state) => {
        if (!this.#closed && state === 'connected') this.#events.path?.()
      })
      for (const track of tracks) this.#addTrack(track)
      this.#listenForOpen(tracks)
      // libdatachannel takes the answer's lines from tracks that exist already under the offer's mids.
      this.#peer.setRemoteDescription(remoteOfferSdp(remote, tracks), 'offer')
    } catch (cause) {
      this.#peer.close()
      throw new PorchlightError('sdp_invalid', cause instanceof Error ? cause.message : undefined, { cause })
    }
    this.local = this.#describe(options)
  }

  get state(): TransportState {
    return this.#state
  }

  get remoteAddress(): string | undefined {
    const remote = this.#closed ? undefined : this.#peer.getSelectedCandidatePair()?.remote
    const family = isIP(remote?.address ?? '')
    if (!remote || family === 0) return undefined
    return `${family === 6 ? `[${remote.address}]` : remote.address}:${remote.port}`
  }

  #addTrack(track: EngineTrack): void {
    const media =
      track.kind === 'video'
        ? new Video(track.mid, directions[track.direction])
        : new Audio(track.mid, directions[track.direction])
    // Raw tracks: the payload type is all the library must know, the codec's name is never looked at.
    if ('addH264Codec' in media) media.addH264Codec(track.payloadType)
    else media.addOpusCodec(track.payloadType)
    for (const ssrc of track.localSsrcs) media.addSSRC(ssrc, 'porchlight')
    const line = this.#peer.addTrack(media)
    line.onMessage((bytes) => {
      if (!this.#closed) this.#events.packet(track.mid, bytes)
    })
    this.#tracks.set(track.mid, line)
  }

  /**
   * Tracks open together, in order: the last one tells of all. Each callback into the library is a handle that the event loop
   * looks at whenever it wakes, so there is none too many.
   */
  #listenForOpen(tracks: readonly EngineTrack[]): void {
    const last = tracks.at(-1)
    if (last === undefined) return
    this.#tracks.get(last.mid)?.onOpen(() => {
      for (const { mid } of tracks) if (!this.#closed) this.#events.open(mid)
    })
  }

  async #describe(options: NodeDataChannelOptions): Promise<TransportParameters> {
    const credentials = iceCredentials()
    this.#shutDoor = options.door?.admit(credentials.iceUfrag, credentials.icePwd)
    this.#peer.setLocalDescription('answer', credentials)
    // No server is asked for candidates: they are all there when this returns.
    return readLocal(this.#peer.localDescription()?.sdp ?? '', options)
  }

  #stateChanged(state: string): void {
    if (this.#closed) return
    switch (state) {
      case 'connected':
      case 'disconnected':
      case 'failed':
      case 'closed':
        this.#state = state
        this.#events.state(state)
    }
  }

  addRemoteCandidate(candidate: string, mid: string): void {
    if (this.#closed) return
    try {
      this.#peer.addRemoteCandidate(candidate, mid)
    } catch (error) {
      this.#log.debug({ err: error }, 'candidate not taken')
    }
  }

  send(mid: string, bytes: Uint8Array): boolean {
    const track = this.#tracks.get(mid)
    if (this.#closed || track === undefined) return false
    try {
      return track.sendMessageBinary(asBuffer(bytes))
    } catch (error) {
      // It throws where the track is not open (any more). To ask before each packet would be a second call into the library.
      this.#log.debug({ err: error, mid }, 'packet not sent')
      return false
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#state = 'closed'
    this.#shutDoor?.()
    this.#tracks.clear()
    this.#peer.close()
    this.#onClosed()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}

/**
 * Ufrag and password of one session (RFC 8445 §5.3). Left to itself libjuice takes a ufrag of four characters, which a
 * stranger can guess by sending, and hears addresses that know it (SECURITY.md): this one cannot be guessed.
 */
function iceCredentials(): { iceUfrag: string; icePwd: string } {
  return { iceUfrag: randomBytes(15).toString('base64'), icePwd: randomBytes(18).toString('base64') }
}

function readLocal(
  sdp: string,
  { announce, door }: Pick<NodeDataChannelOptions, 'announce' | 'door'>,
): TransportParameters {
  const media = parseSdp(sdp).media
  const first = media[0]
  if (!first?.iceUfrag || !first.icePwd || !first.fingerprint)
    throw new PorchlightError('internal', 'no local transport')
  const found = media.flatMap((section) => section.candidates)
  const candidates = announceCandidates(found, announce)
  return {
    iceUfrag: first.iceUfrag,
    icePwd: first.icePwd,
    fingerprint: first.fingerprint,
    setup: first.setup === 'passive' ? 'passive' : 'active',
    candidates: door ? [...candidates, ...doorCandidates(candidates, door.port)] : candidates,
  }
}
