import { PorchlightError } from '@porchlight/proto/errors.ts'
import type { AccessUnit, AudioFormat, AudioFrame, VideoFormat } from '@porchlight/proto/media/access-unit.ts'
import { codecsText } from '@porchlight/proto/media/fmp4/codecs.ts'
import { FileTimeline } from '../recorder/encode-part.ts'
import { OpusSound, type OpusSoundOptions } from '../recorder/opus-sound.ts'
import { type Part, PartBuilder } from '../recorder/part-builder.ts'
import { type StreamConfig, streamConfig } from '../recorder/stream-config.ts'
import type { MediaReader } from '../sfu/media-reader.ts'
import { SteadySound } from './steady-sound.ts'

/** Length of a fragment, ms: what muxing adds to the delay. */
const fragmentMs = 200
/** Capture times that go back further than B-frames do begin a new stream, ms. */
const maxBackMs = 1_000

/** How a stream begins. */
export interface StreamStart {
  /** Media type with its codecs (RFC 6381), as a browser is asked. */
  type: string
  /** The init segment. */
  bytes: Uint8Array
}

/** One `moof` with its `mdat`. */
export interface Fragment {
  bytes: Uint8Array
  /** Whether it begins with a keyframe: playing may begin here. */
  keyframe: boolean
  /** Capture time of its first picture, ms. */
  startMs: number
}

export interface MuxerEvents {
  /** What follows needs this init segment; its first fragment begins with a keyframe. */
  began(start: StreamStart): void
  fragment(fragment: Fragment): void
  /** The camera is gone, for now or for good. */
  paused(): void
  /** There is no stream of what the camera sends. */
  unplayable(error: PorchlightError): void
}

interface Stream {
  config: StreamConfig
  timeline: FileTimeline
  sound: SteadySound
}

/** Makes one camera's frames a live stream of short MP4 fragments. */
export class LiveMuxer implements MediaReader {
  readonly #events: MuxerEvents
  /** Undefined: pictures only. */
  readonly #opus: OpusSound | undefined
  readonly #builder = new PartBuilder((part) => this.#emit(part), fragmentMs)
  #run = ''
  #audio: AudioFormat | undefined
  #newest: { frame: number; captureMs: number } | undefined
  #stream: Stream | undefined

  /** @param sound how sound becomes Opus; undefined: pictures only */
  constructor(events: MuxerEvents, sound: Omit<OpusSoundOptions, 'emit'> | undefined) {
    this.#events = events
    this.#opus = sound && new OpusSound({ ...sound, emit: (frame) => this.#builder.audioFrame(frame) })
  }

  format(run: string, _video: VideoFormat | undefined, audio: AudioFormat | undefined): void {
    const opus = this.#opus?.format(audio)
    // No browser plays G.711 out of an MP4.
    this.#audio = opus?.codec === 'opus' ? opus : undefined
    if (run !== this.#run) this.#restart()
    this.#run = run
    this.#builder.run(run)
  }

  accessUnit(unit: AccessUnit): void {
    if (this.#newest !== undefined) {
      // A producer that takes another's place begins with what that one had sent already.
      if (unit.frame <= this.#newest.frame) return
      if (unit.captureMs < this.#newest.captureMs - maxBackMs) this.#restart()
    }
    this.#newest = unit
    if (unit.keyframe) this.#keyframe(unit)
    if (this.#stream !== undefined) this.#builder.unit(unit)
  }

  audioFrame(frame: AudioFrame): void {
    if (this.#audio !== undefined) this.#opus?.push(frame)
  }

  lost(): void {
    // The builder sees it by the numbers; decoders go on as they do in a recording.
  }

  ended(): void {
    this.#builder.flush()
    this.#events.paused()
  }

  /** Ends the conversion of sound. Idempotent. */
  async close(): Promise<void> {
    await this.#opus?.end()
  }

  /** What comes next does not go on where this ended: it waits for a keyframe and a new beginning. */
  #restart(): void {
    this.#builder.flush()
    this.#stream = undefined
    this.#newest = undefined
  }

  #keyframe(unit: AccessUnit): void {
    const config = streamConfig(unit, this.#audio)
    if (config !== undefined && config.hash === this.#stream?.config.hash) return
    this.#builder.flush()
    this.#stream = undefined
    const codecs = config && codecsText(config.init)
    if (config === undefined || codecs === undefined) {
      this.#events.unplayable(new PorchlightError('codec_unsupported', unit.codec))
      return
    }
    this.#stream = { config, timeline: new FileTimeline(unit.captureMs), sound: new SteadySound() }
    this.#events.began({ type: `video/mp4; codecs="${codecs}"`, bytes: config.init })
  }

  #emit(part: Part): void {
    if (this.#stream === undefined) return
    const { config, timeline, sound } = this.#stream
    const withSound = config.audio !== undefined
    const bytes = timeline.encode(withSound ? { ...part, audio: sound.fill(part) } : part, withSound)
    this.#events.fragment({ bytes, keyframe: part.units[0]!.keyframe, startMs: part.startMs })
  }
}
