import {
  aacFrameSamples,
  makeAudioSpecificConfig,
  parseAudioSpecificConfig,
  parseAuHeaders,
  splitAdts,
  splitLatm,
} from '@porchlight/proto/media/aac.ts'
import type { AudioFormat } from '@porchlight/proto/media/access-unit.ts'
import { concatBytes } from '@porchlight/proto/media/bytes.ts'
import { opusSamples } from '@porchlight/proto/media/opus.ts'
import type { RtpPacket } from '@porchlight/proto/media/rtp.ts'
import type { AudioTrack } from './tracks.ts'

/** One packet of sound before it has a number and a time. */
export interface Sound {
  /** RTP timestamp of the first sample, uint32. */
  timestamp: number
  samples: number
  data: Uint8Array
}

/** A fragmented AAC access unit is not longer (RFC 3640 gives 13 bits), bytes. */
const maxAacBytes = 8_192

/** Takes RTP packets of sound apart into frames. */
export class AudioReceiver {
  readonly #track: AudioTrack
  readonly #sound: (sound: Sound) => void
  readonly #changed: (format: AudioFormat) => void
  #format: AudioFormat
  /** A fragmented AAC access unit under way. */
  #fragments: { timestamp: number; size: number; parts: Uint8Array[]; bytes: number } | undefined

  /** @param changed called when the stream itself says another format than the SDP (ADTS inside) */
  constructor(track: AudioTrack, sound: (sound: Sound) => void, changed: (format: AudioFormat) => void) {
    this.#track = track
    this.#sound = sound
    this.#changed = changed
    const { codec, clockRate, channels } = track
    this.#format = { codec, clockRate, channels, ...(track.aac === undefined ? {} : { config: track.aac.config }) }
  }

  get format(): AudioFormat {
    return this.#format
  }

  push(packet: RtpPacket): void {
    const { payload, timestamp } = packet
    if (payload.length === 0) return
    switch (this.#track.codec) {
      case 'pcmu':
      case 'pcma':
        this.#sound({ timestamp, samples: Math.floor(payload.length / this.#track.channels), data: payload })
        break
      case 'opus': {
        const samples = opusSamples(payload)
        if (samples > 0) this.#sound({ timestamp, samples, data: payload })
        break
      }
      case 'aac':
        this.#aac(packet)
        break
    }
  }

  #aac({ payload, timestamp, marker }: RtpPacket): void {
    const aac = this.#track.aac
    if (aac === undefined) return
    // some cameras send ADTS without any AU header, whatever their SDP says
    const bare = splitAdts(payload)
    if (bare.length > 0) {
      this.#units(timestamp, [payload])
      return
    }
    if (aac.form === 'latm') {
      this.#units(timestamp, splitLatm(payload))
      return
    }
    const parsed = parseAuHeaders(payload, aac.lengths)
    if (parsed === undefined) return
    const units: Uint8Array[] = []
    let at = 0
    for (const size of parsed.sizes) {
      if (at + size > parsed.data.length) {
        // one access unit over several packets (RFC 3640 §3.2.3): each repeats its whole size
        if (parsed.sizes.length === 1) this.#fragment(timestamp, size, parsed.data, marker)
        break
      }
      this.#fragments = undefined
      units.push(parsed.data.subarray(at, at + size))
      at += size
    }
    if (units.length > 0) this.#units(timestamp, units)
  }

  #fragment(timestamp: number, size: number, data: Uint8Array, marker: boolean): void {
    if (this.#fragments?.timestamp !== timestamp || this.#fragments.size !== size) {
      this.#fragments = { timestamp, size, parts: [], bytes: 0 }
    }
    this.#fragments.parts.push(data)
    this.#fragments.bytes += data.length
    const { parts, bytes } = this.#fragments
    if (bytes >= size || marker || bytes > maxAacBytes) this.#fragments = undefined
    if (bytes === size) this.#units(timestamp, [concatBytes(parts)])
  }

  #units(timestamp: number, units: readonly Uint8Array[]): void {
    let at = timestamp
    for (const unit of units) {
      const framed = splitAdts(unit) // live555 and others put ADTS inside
      const first = framed[0]
      if (first !== undefined) this.#adopt(makeAudioSpecificConfig(first), first.samplingRate, first.channels)
      const ticks = this.#ticks()
      for (const data of framed.length > 0 ? framed.map((frame) => frame.data) : [unit]) {
        this.#sound({ timestamp: at >>> 0, samples: ticks, data })
        at += ticks
      }
    }
  }

  /** RTP ticks of one access unit: with SBR the coded rate is half the clock's. */
  #ticks(): number {
    const config = this.#format.config
    const rate = config === undefined ? undefined : parseAudioSpecificConfig(config)?.samplingRate
    return rate === undefined ? aacFrameSamples : Math.round((aacFrameSamples * this.#track.clockRate) / rate)
  }

  #adopt(config: Uint8Array, clockRate: number, channels: number): void {
    const known = this.#format.config
    if (known !== undefined && Buffer.compare(known.subarray(0, config.length), config) === 0) return
    // the RTP clock stays that of the line; a wrong one there is seen by the capture clock as drift only
    this.#format = { codec: 'aac', clockRate, channels, config }
    this.#changed(this.#format)
  }
}
