import { asPorchlightError, PorchlightError } from '@porchlight/proto/errors.ts'
import type { SessionDescription } from '@porchlight/proto/media/sdp.ts'
import type { Logger } from 'pino'
import type { CameraListener, CameraSource, TalkSink } from './camera-source.ts'
import type { FrameNumbering } from './frame-numbering.ts'
import { MediaReceiver } from './media-receiver.ts'
import type { Credentials } from './rtsp/auth.ts'
import { Backchannel, OnTalkBackchannel, type TalkLine } from './rtsp/backchannel.ts'
import { RtspLines } from './rtsp/lines.ts'
import { pictureLoss, receiverReport, takesPli } from './rtsp/reports.ts'
import { RtspSession, RtspStatusError } from './rtsp/session.ts'
import { type BackchannelTrack, chooseTracks, type Tracks } from './tracks.ts'
import { waitFor } from './wait.ts'

/** Without a packet for so long after PLAY, UDP does not get through here: TCP is used and remembered. ms */
export const udpPatienceMs = 2_000
/** Without a picture for so long the camera has stopped sending, ms. */
export const stallMs = 10_000
/** How often lost packets are given up, reports sent and the stream watched, ms. */
const tickMs = 20
const reportMs = 5_000
/** Single-client cameras need this long between two sessions, ms. */
const redialMs = 500

/** What one camera's connections remember of each other within a process. */
export interface TransportMemory {
  transport?: 'tcp' | 'udp'
}

export interface RtspSourceOptions {
  /** `rtsp://` or `rtsps://`, without user and password. */
  url: string
  credentials?: Credentials
  /** PEM that `rtsps` trusts in place of the system's authorities: the camera's own certificate. */
  ca?: string
  /**
   * `tcp`: interleaved only. `udp`: falls back to TCP where nothing comes for {@link udpPatienceMs}.
   * `auto`: TCP, which needs no open ports and loses nothing; UDP where the camera refuses TCP.
   */
  transport: 'auto' | 'tcp' | 'udp'
  backchannel: 'always' | 'on-talk' | 'off'
  memory: TransportMemory
  listener: CameraListener
  numbering: FrameNumbering
  /** Device clock, ms since the Unix epoch. */
  now: () => number
  /** A clock that only goes on, ms. */
  monotonic: () => number
  random: () => number
  log: Logger
  /** Shorter in tests. */
  stallMs?: number
}

interface Playing {
  session: RtspSession
  lines: RtspLines
  receiver: MediaReceiver
  tracks: Tracks
}

/** A camera over RTSP. */
export class RtspSource implements CameraSource {
  readonly ended: Promise<PorchlightError | undefined>
  readonly #options: RtspSourceOptions
  readonly #end: (reason: PorchlightError | undefined) => void
  readonly #abort = new AbortController()
  #playing: Playing | undefined
  #timer: NodeJS.Timeout | undefined
  #talk: TalkSink | undefined
  #onTalk: OnTalkBackchannel | undefined
  #lastReportMs = 0
  #first: { resolve(): void; reject(error: PorchlightError): void } | undefined
  #closing: Promise<void> | undefined

  constructor(options: RtspSourceOptions) {
    this.#options = options
    const { promise, resolve } = Promise.withResolvers<PorchlightError | undefined>()
    this.ended = promise
    this.#end = resolve
  }

  get talk(): TalkSink | undefined {
    return this.#talk
  }

  async open(signal: AbortSignal): Promise<void> {
    const both = AbortSignal.any([signal, this.#abort.signal])
    const transports = this.#transports()
    for (const [index, transport] of transports.entries()) {
      const last = index === transports.length - 1
      try {
        await this.#play(transport, both, last ? (this.#options.stallMs ?? stallMs) : udpPatienceMs)
        this.#options.memory.transport = transport
        return
      } catch (thrown) {
        const error = asPorchlightError(thrown, 'camera_protocol')
        await this.#stop()
        if (both.aborted || last || !isTransportTrouble(error, transport)) throw error
        this.#options.log.info({ code: error.code, transport }, 'the camera cannot be had this way, trying the other')
        await waitFor(redialMs, both)
      }
    }
  }

  #transports(): ('tcp' | 'udp')[] {
    const { transport, memory } = this.#options
    if (transport === 'tcp') return ['tcp']
    const order: ('tcp' | 'udp')[] = transport === 'udp' ? ['udp', 'tcp'] : ['tcp', 'udp']
    // what worked before goes first; the other stays, because a camera may have been set differently since
    return memory.transport === order[1] ? order.reverse() : order
  }

  async #play(transport: 'tcp' | 'udp', signal: AbortSignal, patienceMs: number): Promise<void> {
    const { backchannel, listener, numbering, now, monotonic } = this.#options
    let lines: RtspLines | undefined
    const { session, sdp } = await RtspSession.describe(
      this.#sessionOptions(),
      { frame: (frame) => lines?.frame(frame), ended: (error) => this.#finish(error) },
      backchannel !== 'off',
      signal,
    )
    const aborted = () => session.connection.close()
    signal.addEventListener('abort', aborted)
    try {
      const tracks = chooseTracks(sdp)
      const receiver = new MediaReceiver({ tracks, listener, numbering, reorder: transport === 'udp', now, monotonic })
      lines = new RtspLines(session, transport, {
        rtp: (kind, bytes) => {
          if (kind === 'backchannel') return
          receiver.rtp(kind, bytes)
          if (receiver.lastVideoMs !== undefined) this.#first?.resolve()
        },
        rtcp: (kind, bytes) => {
          if (kind !== 'backchannel') receiver.rtcp(kind, bytes)
        },
      })
      this.#playing = { session, lines, receiver, tracks }
      await this.#setup(tracks, lines)
      await this.#firstPacket(session.play(), patienceMs)
      this.#openTalk(tracks, sdp)
      this.#timer = setInterval(() => this.#tick(), tickMs)
    } catch (error) {
      lines?.close()
      await session.close()
      throw error
    } finally {
      signal.removeEventListener('abort', aborted)
    }
  }

  /** Waits for the PLAY answer and a packet of video, in whichever order they come. */
  async #firstPacket(playing: Promise<void>, patienceMs: number): Promise<void> {
    const first = Promise.withResolvers<void>()
    this.#first = first
    let late: NodeJS.Timeout | undefined
    const patience = () => {
      late = setTimeout(() => first.reject(new PorchlightError('camera_timeout', 'no packet came')), patienceMs)
    }
    try {
      await Promise.all([playing.then(patience), first.promise])
    } finally {
      clearTimeout(late)
      this.#first = undefined
    }
  }

  #sessionOptions() {
    const { url, credentials, ca } = this.#options
    return { url, credentials, ...(ca === undefined ? {} : { ca }) }
  }

  /** Everything before PLAY: a SETUP afterwards makes some cameras drop the session. */
  async #setup(tracks: Tracks, lines: RtspLines): Promise<void> {
    await lines.setup('video', tracks.video.section)
    if (tracks.audio !== undefined && !(await this.#maySetup('audio', tracks, lines))) tracks.audio = undefined
    if (tracks.backchannel !== undefined && this.#options.backchannel === 'always') {
      if (!(await this.#maySetup('backchannel', tracks, lines))) tracks.backchannel = undefined
    }
  }

  /** Sound is not worth losing the picture for. */
  async #maySetup(kind: 'audio' | 'backchannel', tracks: Tracks, lines: RtspLines): Promise<boolean> {
    try {
      await lines.setup(kind, tracks[kind]!.section)
      return true
    } catch (error) {
      if (!(error instanceof RtspStatusError)) throw error
      this.#options.log.warn({ code: error.code, line: kind, status: error.rtspStatus }, 'the camera refuses a line')
      return false
    }
  }

  #openTalk(tracks: Tracks, sdp: SessionDescription): void {
    const { backchannel, monotonic, log } = this.#options
    const track = tracks.backchannel
    if (track === undefined || this.#playing === undefined) return
    if (backchannel === 'always') {
      this.#talk = this.#sinkOn(this.#playing.session, this.#playing.lines, track, sdp)
      return
    }
    this.#onTalk = new OnTalkBackchannel({
      codec: track.codec,
      monotonic,
      open: (signal, ended) => this.#openTalkLine(signal, ended),
      failed: (error) => log.warn({ code: asPorchlightError(error).code }, 'the backchannel cannot be opened'),
    })
    this.#talk = this.#onTalk
  }

  #sinkOn(session: RtspSession, lines: RtspLines, track: BackchannelTrack, sdp: SessionDescription): Backchannel {
    const { monotonic, random } = this.#options
    const constantTimestamp = /reolink/i.test(`${session.server} ${sdp.name ?? ''}`)
    const send = (packet: Uint8Array) => lines.sendRtp('backchannel', packet)
    return new Backchannel({ track, send, monotonic, random, constantTimestamp })
  }

  /** A second session with nothing but the backchannel: who watches is not touched by it. */
  async #openTalkLine(signal: AbortSignal, ended: () => void): Promise<TalkLine> {
    const options = this.#sessionOptions()
    const { session, sdp } = await RtspSession.describe(options, { frame: () => undefined, ended }, true, signal)
    const transport = this.#options.memory.transport ?? 'tcp'
    const lines = new RtspLines(session, transport, { rtp: () => undefined, rtcp: () => undefined })
    try {
      const track = chooseTracks(sdp).backchannel
      if (track === undefined) throw new PorchlightError('speaker_none')
      await lines.setup('backchannel', track.section)
      await session.play()
      const sink = this.#sinkOn(session, lines, track, sdp)
      return {
        send: (data, timestamp) => sink.send(data, timestamp),
        close: async () => {
          lines.close()
          await session.close()
        },
      }
    } catch (error) {
      lines.close()
      await session.close()
      throw error
    }
  }

  #tick(): void {
    const playing = this.#playing
    if (playing === undefined) return
    playing.receiver.tick()
    const now = this.#options.monotonic()
    if (now - (playing.receiver.lastVideoMs ?? 0) > (this.#options.stallMs ?? stallMs)) {
      this.#finish(new PorchlightError('camera_timeout'))
    } else if (now - this.#lastReportMs >= reportMs) {
      this.#lastReportMs = now
      const report = receiverReport(playing.receiver)
      if (report !== undefined) playing.lines.sendRtcp('video', report)
    }
  }

  requestKeyframe(): boolean {
    const playing = this.#playing
    const media = playing?.receiver.videoSsrc
    if (playing === undefined || media === undefined || !takesPli(playing.tracks.video.section)) return false
    return playing.lines.sendRtcp('video', pictureLoss(media))
  }

  #finish(error: PorchlightError): void {
    if (this.#first !== undefined) this.#first.reject(error)
    else {
      this.#end(error)
      void this.close()
    }
  }

  async #stop(): Promise<void> {
    clearInterval(this.#timer)
    const playing = this.#playing
    const onTalk = this.#onTalk
    this.#playing = undefined
    this.#talk = undefined
    this.#onTalk = undefined
    playing?.lines.close()
    await Promise.all([onTalk?.close(), playing?.session.close()])
  }

  close(): Promise<void> {
    this.#closing ??= this.#stop().then(() => this.#end(undefined))
    this.#abort.abort()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

/** Whether the other transport may help: SETUP was refused (461 and its like), or UDP never came. */
function isTransportTrouble(error: PorchlightError, transport: 'tcp' | 'udp'): boolean {
  if (error instanceof RtspStatusError) return error.method === 'SETUP' && error.code === 'camera_protocol'
  return transport === 'udp' && error.code === 'camera_timeout'
}
