import { writeRtp } from '@porchlight/proto/media/rtp.ts'
import type { TalkSink } from '../camera-source.ts'
import type { BackchannelTrack } from '../tracks.ts'

/** Cameras have been met that take no more than this in a packet, bytes; it is also below 160 ms of G.711. */
const maxPacketBytes = 1_024
/** Silence after which the next packet begins a new talkspurt (marker bit, RFC 3551 §4.1), ms. */
const pauseMs = 200
/** G.711: samples a ms. */
const samplesPerMs = 8

export interface BackchannelOptions {
  track: BackchannelTrack
  /** Sends one RTP packet to the camera; false where it was dropped. */
  send(packet: Uint8Array): boolean
  monotonic: () => number
  random: () => number
  /** Some doorbells (Reolink) play only packets whose timestamp never moves. */
  constantTimestamp?: boolean
}

/** Talk into the camera: G.711 in packets of its own numbering, whatever numbering the viewer's packets had. */
export class Backchannel implements TalkSink {
  readonly clockRate = 8_000
  readonly #options: BackchannelOptions
  readonly #ssrc: number
  #sequence: number
  #timestamp: number
  #lastSource: number | undefined
  #lastSamples = 0
  #lastMs = Number.NEGATIVE_INFINITY
  /** Packets that the connection did not take. */
  dropped = 0

  constructor(options: BackchannelOptions) {
    this.#options = options
    this.#ssrc = Math.floor(options.random() * 2 ** 32)
    this.#sequence = Math.floor(options.random() * 2 ** 16)
    this.#timestamp = Math.floor(options.random() * 2 ** 32)
  }

  get codec(): 'pcmu' | 'pcma' {
    return this.#options.track.codec
  }

  send(data: Uint8Array, timestamp: number): void {
    const { constantTimestamp, monotonic, track } = this.#options
    const now = monotonic()
    const begins = now - this.#lastMs > pauseMs
    if (!constantTimestamp && this.#lastSource !== undefined) {
      // follow the talker's clock over a lost packet, ours over a pause or another talker
      const step = (timestamp - this.#lastSource) | 0
      const plausible = step > 0 && step <= this.#lastSamples + pauseMs * samplesPerMs
      const waited = Math.round((now - this.#lastMs) * samplesPerMs)
      this.#timestamp += begins || !plausible ? Math.max(this.#lastSamples, begins ? waited : 0) : step
    }
    this.#lastSource = timestamp
    this.#lastSamples = data.length
    this.#lastMs = now
    for (let at = 0; at < data.length; at += maxPacketBytes) {
      const packet = writeRtp({
        marker: begins && at === 0,
        payloadType: track.payloadType,
        sequence: this.#sequence,
        timestamp: (this.#timestamp + (constantTimestamp ? 0 : at)) >>> 0,
        ssrc: this.#ssrc,
        extensions: [],
        payload: data.subarray(at, at + maxPacketBytes),
      })
      this.#sequence = (this.#sequence + 1) & 0xffff
      if (!this.#options.send(packet)) this.dropped += 1
    }
  }
}

/** Packets kept while the line is being opened: half a second of talk at 20 ms. */
const maxQueued = 25
/** The line is given back after so much silence, ms: the vendor's app and the button may need it. */
export const lineIdleMs = 3_000
/** After a failure the line is not asked for again for so long, ms. */
const retryMs = 2_000

export interface TalkLine {
  send(data: Uint8Array, timestamp: number): void
  /** Idempotent. */
  close(): Promise<void>
}

export interface OnTalkOptions {
  codec: 'pcmu' | 'pcma'
  /** Opens a second session with the backchannel alone. */
  open(signal: AbortSignal, ended: () => void): Promise<TalkLine>
  failed(error: unknown): void
  monotonic: () => number
}

/** A backchannel that is open only while somebody talks: some doorbells say "line busy" to everybody else meanwhile. */
export class OnTalkBackchannel implements TalkSink {
  readonly clockRate = 8_000
  readonly #options: OnTalkOptions
  readonly #abort = new AbortController()
  #line: TalkLine | undefined
  #opening = false
  #queue: { data: Uint8Array; timestamp: number }[] = []
  #lastMs = 0
  #notBefore = Number.NEGATIVE_INFINITY
  #idle: NodeJS.Timeout | undefined
  #ending: Promise<void> = Promise.resolve()

  constructor(options: OnTalkOptions) {
    this.#options = options
  }

  get codec(): 'pcmu' | 'pcma' {
    return this.#options.codec
  }

  send(data: Uint8Array, timestamp: number): void {
    if (this.#abort.signal.aborted) return
    this.#lastMs = this.#options.monotonic()
    if (this.#line !== undefined) {
      this.#line.send(data, timestamp)
      return
    }
    this.#queue.push({ data: new Uint8Array(data), timestamp })
    if (this.#queue.length > maxQueued) this.#queue.shift()
    if (!this.#opening && this.#lastMs >= this.#notBefore) void this.#open()
  }

  async #open(): Promise<void> {
    this.#opening = true
    try {
      await this.#ending
      const line = await this.#options.open(this.#abort.signal, () => this.#drop())
      if (this.#abort.signal.aborted) {
        await line.close()
        return
      }
      this.#line = line
      for (const { data, timestamp } of this.#queue.splice(0)) line.send(data, timestamp)
      this.#idle = setInterval(() => this.#watch(), 500)
    } catch (error) {
      this.#queue = []
      this.#notBefore = this.#options.monotonic() + retryMs
      if (!this.#abort.signal.aborted) this.#options.failed(error)
    } finally {
      this.#opening = false
    }
  }

  #watch(): void {
    if (this.#options.monotonic() - this.#lastMs >= lineIdleMs) this.#drop()
  }

  #drop(): void {
    clearInterval(this.#idle)
    const line = this.#line
    this.#line = undefined
    if (line !== undefined) this.#ending = line.close()
  }

  /** Idempotent. */
  async close(): Promise<void> {
    this.#abort.abort()
    this.#queue = []
    this.#drop()
    await this.#ending
  }
}
