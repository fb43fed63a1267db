import { readFile } from 'node:fs/promises'
import { asPorchlightError, PorchlightError } from '@porchlight/proto/errors.ts'
import { parseSdp } from '@porchlight/proto/media/sdp.ts'
import type { Logger } from 'pino'
import type { CameraListener, CameraSource } from './camera-source.ts'
import type { FrameNumbering } from './frame-numbering.ts'
import { MediaReceiver } from './media-receiver.ts'
import { plainBytes } from './plain-bytes.ts'
import { UdpPair } from './rtsp/transport.ts'
import { stallMs } from './rtsp-source.ts'
import { chooseTracks, type Tracks } from './tracks.ts'

export interface SdpSourceOptions {
  /** The SDP file: ports of its m-lines are listened on. */
  path: string
  listener: CameraListener
  numbering: FrameNumbering
  now: () => number
  monotonic: () => number
  log: Logger
  /** Shorter in tests. */
  stallMs?: number
}

const tickMs = 20

/** RTP that arrives on UDP by itself, described by a file (`ffmpeg … -f rtp -sdp_file`, GStreamer, other cameras). */
export class SdpSource implements CameraSource {
  readonly ended: Promise<PorchlightError | undefined>
  readonly talk = undefined
  readonly #options: SdpSourceOptions
  readonly #end: (reason: PorchlightError | undefined) => void
  readonly #pairs: UdpPair[] = []
  #timer: NodeJS.Timeout | undefined

  constructor(options: SdpSourceOptions) {
    this.#options = options
    const { promise, resolve } = Promise.withResolvers<PorchlightError | undefined>()
    this.ended = promise
    this.#end = resolve
  }

  /** @throws PorchlightError `sdp_file_invalid`, `camera_timeout`, `port_in_use`, `camera_no_video`, `camera_codec` */
  async open(signal: AbortSignal): Promise<void> {
    const tracks = await this.#tracks()
    const { listener, numbering, now, monotonic } = this.#options
    const receiver = new MediaReceiver({ tracks, listener, numbering, reorder: true, now, monotonic })
    const limit = this.#options.stallMs ?? stallMs
    const first = Promise.withResolvers<void>()
    const late = setTimeout(() => first.reject(new PorchlightError('camera_timeout', 'no packet came')), limit)
    const aborted = () => first.reject(new PorchlightError('camera_unreachable', 'given up'))
    signal.addEventListener('abort', aborted)
    try {
      await this.#listen('video', tracks, receiver, first.resolve)
      if (tracks.audio !== undefined) await this.#listen('audio', tracks, receiver, first.resolve)
      if (signal.aborted) aborted()
      await first.promise
    } catch (error) {
      await this.close()
      throw error
    } finally {
      clearTimeout(late)
      signal.removeEventListener('abort', aborted)
    }
    this.#timer = setInterval(() => {
      receiver.tick()
      if (monotonic() - (receiver.lastVideoMs ?? 0) <= limit) return
      this.#end(new PorchlightError('camera_timeout'))
      void this.close()
    }, tickMs)
  }

  async #tracks(): Promise<Tracks> {
    let text: string
    try {
      text = await readFile(this.#options.path, 'utf8')
    } catch (thrown) {
      throw new PorchlightError('sdp_file_invalid', asPorchlightError(thrown).detail, { cause: thrown })
    }
    try {
      return chooseTracks(parseSdp(text))
    } catch (thrown) {
      const error = asPorchlightError(thrown, 'sdp_file_invalid')
      throw error.code === 'sdp_invalid' ? new PorchlightError('sdp_file_invalid', error.detail) : error
    }
  }

  async #listen(kind: 'video' | 'audio', tracks: Tracks, receiver: MediaReceiver, first: () => void): Promise<void> {
    const section = tracks[kind]!.section
    if (section.port < 1024 || section.port > 65_534) {
      throw new PorchlightError('sdp_file_invalid', `port ${section.port} of the ${kind} line`)
    }
    const address = section.connection
    const multicast = /^(?:2(?:2[4-9]|3\d)\.|ff)/i.test(address ?? '')
    // a loopback address stays there; any other names the sender's idea of us
    const local = address?.startsWith('127.') ? address : address?.includes(':') ? '::' : '0.0.0.0'
    const pair = await UdpPair.bind(local, section.port)
    this.#pairs.push(pair)
    if (multicast) for (const socket of [pair.rtp, pair.rtcp]) socket.addMembership(address!)
    pair.rtp.on('message', (bytes) => {
      receiver.rtp(kind, plainBytes(bytes))
      if (receiver.lastVideoMs !== undefined) first()
    })
    pair.rtcp.on('message', (bytes) => receiver.rtcp(kind, plainBytes(bytes)))
  }

  requestKeyframe(): boolean {
    return false
  }

  /** Idempotent. */
  close(): Promise<void> {
    clearInterval(this.#timer)
    for (const pair of this.#pairs) pair.close()
    this.#end(undefined)
    return Promise.resolve()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}
