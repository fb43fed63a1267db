import { randomBytes } from 'node:crypto'
import type { Socket } from 'node:net'
import { isRtcp } from '@porchlight/proto/media/rtp.ts'
import { audioRate, type MediaBlock } from '../media-loop.ts'
import type { CameraStream, ServerParts } from '../rtsp-server.ts'
import { Authenticator } from './auth.ts'
import { describe, trackIds, videoType } from './describe.ts'
import { type RtspRequest, writeResponse } from './messages.ts'
import { TrackSender } from './track-sender.ts'
import { interleaved, type Transport, udp } from './transports.ts'

const backchannelTag = 'www.onvif.org/ver20/backchannel'
const methods = 'OPTIONS, DESCRIBE, SETUP, PLAY, PAUSE, GET_PARAMETER, SET_PARAMETER, TEARDOWN'

interface Answer {
  status: number
  headers?: Record<string, string>
  body?: string
  /** Done once the answer is on its way. */
  after?: () => void
}

/** One client's connection: its tracks, and whether they play. */
export class RtspSession {
  readonly #socket: Socket
  readonly #parts: ServerParts
  readonly #auth: Authenticator
  readonly #id = randomBytes(8).toString('hex')
  readonly #senders = new Map<number, TrackSender>()
  readonly #talkTransports: Transport[] = []
  readonly #talkChannels = new Set<number>()
  readonly #stops: (() => void)[] = []
  #stream: CameraStream | undefined
  #lastSign = Date.now()
  #closed = false

  constructor(socket: Socket, parts: ServerParts) {
    this.#socket = socket
    this.#parts = parts
    this.#auth = new Authenticator(parts.auth)
  }

  get playing(): boolean {
    return this.#stops.length > 0
  }

  /** Whether the client has said nothing for longer than the session's timeout. */
  isSilent(now: number): boolean {
    return now - this.#lastSign > this.#parts.timeoutSeconds * 1000
  }

  frame(channel: number, data: Uint8Array): void {
    this.#lastSign = Date.now()
    if (this.#talkChannels.has(channel) && !isRtcp(data)) this.#parts.hearing.packet(data)
  }

  async request(request: RtspRequest): Promise<void> {
    this.#lastSign = Date.now()
    const { status, headers, body, after } = await this.#answer(request)
    if (this.#closed || this.#parts.knobs.hang) return
    this.#socket.write(writeResponse(request, status, headers, body))
    after?.()
  }

  close(): void {
    this.#closed = true
    this.#pause()
    for (const { transport } of this.#senders.values()) transport.close()
    for (const transport of this.#talkTransports) transport.close()
    this.#senders.clear()
    this.#talkTransports.length = 0
    this.#socket.destroy()
  }

  async #answer(request: RtspRequest): Promise<Answer> {
    if (request.method === 'OPTIONS') return { status: 200, headers: { Public: methods } }
    const challenge = this.#auth.challenge(request)
    // Several schemes stand in several header lines.
    if (challenge !== undefined) {
      return { status: 401, headers: { 'WWW-Authenticate': challenge.join('\r\nWWW-Authenticate: ') } }
    }
    const required = request.headers.get('require')
    if (required !== undefined && (required !== backchannelTag || this.#parts.backchannel === 'refused')) {
      return { status: 551, headers: { Unsupported: required } }
    }
    switch (request.method) {
      case 'DESCRIBE':
        return this.#describe(request, required === backchannelTag)
      case 'SETUP':
        return this.#setup(request)
      case 'PLAY':
        return this.#play(request)
      case 'PAUSE':
        this.#pause()
        return { status: 200, headers: { Session: this.#id } }
      case 'TEARDOWN':
        return { status: 200, headers: { Session: this.#id }, after: () => this.#socket.end(() => this.close()) }
      case 'GET_PARAMETER':
      case 'SET_PARAMETER':
        return { status: 200, headers: { Session: this.#id } }
      default:
        return { status: 405, headers: { Allow: methods } }
    }
  }

  #describe(request: RtspRequest, wantsBackchannel: boolean): Answer {
    const stream = this.#parts.stream(request.url)
    if (stream === undefined) return { status: 404 }
    const { backchannel } = this.#parts
    const body = describe({
      host: this.#parts.host,
      video: stream.video.video,
      audio: stream.audio !== undefined,
      backchannel: wantsBackchannel && (backchannel === 'pcmu' || backchannel === 'pcma') ? backchannel : undefined,
    })
    const base = `${request.url.replace(/\/+$/, '')}/`
    return { status: 200, headers: { 'Content-Type': 'application/sdp', 'Content-Base': base }, body }
  }

  async #setup(request: RtspRequest): Promise<Answer> {
    const stream = this.#parts.stream(request.url)
    const track = Number(/trackID=(\d+)/.exec(request.url)?.[1] ?? Number.NaN)
    if (stream === undefined || !(Object.values(trackIds) as number[]).includes(track)) return { status: 404 }
    const transport = await this.#transport(request.headers.get('transport') ?? '', track)
    if (transport === undefined) return { status: 461 }
    this.#stream = stream
    const session = `${this.#id};timeout=${this.#parts.timeoutSeconds}`
    if (track === trackIds.backchannel) {
      this.#talkTransports.push(transport)
      this.#parts.hearing.restart()
      return { status: 200, headers: { Transport: transport.header, Session: session } }
    }
    const [type, rate] = track === trackIds.video ? [videoType, 90_000] : [0, audioRate]
    const sender = new TrackSender(transport, type, rate, this.#parts.clock, this.#parts.knobs)
    this.#senders.set(track, sender)
    const ssrc = sender.ssrc.toString(16).toUpperCase().padStart(8, '0')
    return { status: 200, headers: { Transport: `${transport.header};ssrc=${ssrc}`, Session: session } }
  }

  async #transport(wanted: string, track: number): Promise<Transport | undefined> {
    const { allowed, host, knobs, random, hearing } = this.#parts
    if (/RTP\/AVP\/TCP/i.test(wanted)) {
      if (allowed === 'udp') return undefined
      const [, first, second] = /interleaved=(\d+)-(\d+)/.exec(wanted) ?? []
      const channel = Number(first ?? track * 2)
      if (track === trackIds.backchannel) this.#talkChannels.add(channel)
      return interleaved(this.#socket, channel, Number(second ?? channel + 1))
    }
    const [, rtpPort, rtcpPort] = /client_port=(\d+)-(\d+)/.exec(wanted) ?? []
    if (allowed === 'tcp' || rtpPort === undefined || rtcpPort === undefined) return undefined
    const address = this.#socket.remoteAddress ?? host
    const client = { address, rtpPort: Number(rtpPort), rtcpPort: Number(rtcpPort) }
    return udp(host, client, knobs, random, (bytes, isRtcpPort) => {
      this.#lastSign = Date.now()
      if (track === trackIds.backchannel && !isRtcpPort && !isRtcp(bytes)) hearing.packet(bytes)
    })
  }

  #play(request: RtspRequest): Answer {
    const stream = this.#stream
    if (stream === undefined) return { status: 455 }
    const base = request.url.replace(/\/+$/, '')
    const info = [...this.#senders].map(([track, { next }]) => {
      return `url=${base}/trackID=${track};seq=${next.sequence};rtptime=${next.timestamp}`
    })
    const start = () => {
      this.#pause()
      const video = this.#senders.get(trackIds.video)
      const audio = this.#senders.get(trackIds.audio)
      if (video) this.#stops.push(stream.video.listen((block: MediaBlock) => video.send(block, true)))
      if (audio && stream.audio) this.#stops.push(stream.audio.listen((block) => audio.send(block, false)))
      this.#parts.clock.start()
    }
    return { status: 200, headers: { Session: this.#id, Range: 'npt=now-', 'RTP-Info': info.join(',') }, after: start }
  }

  #pause(): void {
    for (const stop of this.#stops.splice(0)) stop()
  }
}
