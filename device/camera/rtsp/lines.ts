import { isIP } from 'node:net'
import type { MediaSection } from '@porchlight/proto/media/sdp.ts'
import { plainBytes } from '../plain-bytes.ts'
import type { RtspFrame } from './messages.ts'
import type { RtspSession } from './session.ts'
import { UdpPair } from './transport.ts'

export type LineKind = 'video' | 'audio' | 'backchannel'

export interface LineHandlers {
  rtp(kind: LineKind, bytes: Uint8Array): void
  rtcp(kind: LineKind, bytes: Uint8Array): void
}

/** Sends to one line of the camera; false where the packet was dropped. */
interface Way {
  rtp(bytes: Uint8Array): boolean
  rtcp(bytes: Uint8Array): boolean
}

/** The lines of one session, over TCP (interleaved) or UDP: where packets come from and go to. */
export class RtspLines {
  readonly #session: RtspSession
  readonly #transport: 'tcp' | 'udp'
  readonly #handlers: LineHandlers
  readonly #channels = new Map<number, { kind: LineKind; rtcp: boolean }>()
  readonly #ways = new Map<LineKind, Way>()
  readonly #pairs: UdpPair[] = []
  #nextChannel = 0

  constructor(session: RtspSession, transport: 'tcp' | 'udp', handlers: LineHandlers) {
    this.#session = session
    this.#transport = transport
    this.#handlers = handlers
  }

  /** Sets one line up. @throws PorchlightError, RtspStatusError (461: not this transport) */
  async setup(kind: LineKind, section: MediaSection): Promise<void> {
    if (this.#transport === 'tcp') await this.#setupTcp(kind, section)
    else await this.#setupUdp(kind, section)
  }

  async #setupTcp(kind: LineKind, section: MediaSection): Promise<void> {
    const asked = this.#nextChannel
    const mode = `RTP/AVP/TCP;unicast;interleaved=${asked}-${asked + 1}`
    const answer = await this.#session.setup(section, mode, kind === 'backchannel')
    // cameras answer with other channels than asked for: theirs hold
    const [rtp, rtcp] = answer.interleaved ?? [asked, asked + 1]
    this.#nextChannel = Math.min(254, Math.max(asked + 2, rtp + 2, rtcp + 1))
    this.#channels.set(rtp, { kind, rtcp: false })
    if (rtcp !== rtp) this.#channels.set(rtcp, { kind, rtcp: true })
    const { connection } = this.#session
    connection.expectChannels(new Set(this.#channels.keys()))
    this.#ways.set(kind, {
      rtp: (bytes) => connection.sendFrame(rtp, bytes),
      rtcp: (bytes) => connection.sendFrame(rtcp, bytes),
    })
  }

  async #setupUdp(kind: LineKind, section: MediaSection): Promise<void> {
    const { connection } = this.#session
    const pair = await UdpPair.bind(connection.localAddress)
    this.#pairs.push(pair)
    const mode = `RTP/AVP;unicast;client_port=${pair.rtpPort}-${pair.rtpPort + 1}`
    const answer = await this.#session.setup(section, mode, kind === 'backchannel')
    const camera = connection.remoteAddress
    const allowed = new Set([camera])
    if (answer.source !== undefined && isIP(answer.source) !== 0) allowed.add(answer.source)
    // without server_port we learn where to send from what comes
    let [rtpPort, rtcpPort] = answer.serverPorts ?? [0, 0]
    pair.rtp.on('message', (bytes, from) => {
      if (!allowed.has(from.address)) return
      if (rtpPort === 0) rtpPort = from.port
      this.#handlers.rtp(kind, plainBytes(bytes))
    })
    pair.rtcp.on('message', (bytes, from) => {
      if (!allowed.has(from.address)) return
      if (rtcpPort === 0) rtcpPort = from.port
      this.#handlers.rtcp(kind, plainBytes(bytes))
    })
    const sendTo = (socket: UdpPair['rtp'], port: number, bytes: Uint8Array): boolean => {
      if (port === 0) return false
      socket.send(bytes, port, camera)
      return true
    }
    this.#ways.set(kind, {
      rtp: (bytes) => sendTo(pair.rtp, rtpPort, bytes),
      rtcp: (bytes) => sendTo(pair.rtcp, rtcpPort, bytes),
    })
  }

  /** Takes an interleaved packet of the connection. */
  frame(frame: RtspFrame): void {
    const channel = this.#channels.get(frame.channel)
    if (channel === undefined) return
    // one channel for both (some answer `interleaved=0`): RTCP tells itself apart (RFC 5761 §4)
    const second = frame.data[1] ?? 0
    const rtcp = channel.rtcp || (second >= 192 && second <= 223)
    if (rtcp) this.#handlers.rtcp(channel.kind, frame.data)
    else this.#handlers.rtp(channel.kind, frame.data)
  }

  sendRtp(kind: LineKind, bytes: Uint8Array): boolean {
    return this.#ways.get(kind)?.rtp(bytes) ?? false
  }

  sendRtcp(kind: LineKind, bytes: Uint8Array): boolean {
    return this.#ways.get(kind)?.rtcp(bytes) ?? false
  }

  /** Idempotent. */
  close(): void {
    for (const pair of this.#pairs) pair.close()
  }
}
