import type { AccessUnit, AudioFormat, AudioFrame, VideoFormat } from '@porchlight/proto/media/access-unit.ts'

/** Pictures with their sound, as references into what the ring keeps (never copies). */
export interface Span {
  readonly videoFormat: VideoFormat | undefined
  readonly audioFormat: AudioFormat | undefined
  /** In decoding order. */
  readonly units: readonly AccessUnit[]
  readonly audio: readonly AudioFrame[]
}

export interface RingLimits {
  /** Seconds kept at least, bytes permitting. */
  seconds: number
  /** Bytes of coded data kept at most, sound included. */
  maxBytes: number
}

interface Gop {
  units: AccessUnit[]
  bytes: number
}

/** A keyframe this much older than the one before it means that the camera's clock was set back, ms. */
const clockStepMs = 2_000

const unitBytes = (unit: AccessUnit): number => unit.data.reduce((sum, part) => sum + part.byteLength, 0)

/**
 * The pre-roll: the newest groups of pictures of one camera as they were coded, with the sound beside them. It begins with
 * a keyframe always; a whole group goes at once. B-pictures are kept as they are, in decoding order.
 *
 * It keeps as many groups as it takes to reach `seconds` back, so up to one group more. Where one single group outgrows
 * `maxBytes`, it is given up and the ring is empty until the next keyframe.
 */
export class PrerollRing {
  readonly #limits: RingLimits
  #gops: Gop[] = []
  #audio: AudioFrame[] = []
  #bytes = 0
  #video: VideoFormat | undefined
  #audioFormat: AudioFormat | undefined
  #keepFrom: number | undefined
  /** Groups given up because they alone were larger than the ring. */
  oversized = 0

  constructor(limits: RingLimits) {
    this.#limits = limits
  }

  /** Bytes of coded data kept now. */
  get bytes(): number {
    return this.#bytes
  }

  /** Capture time of the oldest picture kept, ms since the Unix epoch. */
  get oldestMs(): number | undefined {
    return this.#gops[0]?.units[0]?.captureMs
  }

  /** Number of the newest picture kept. */
  get newestFrame(): number | undefined {
    return this.#gops.at(-1)?.units.at(-1)?.frame
  }

  get oldestFrame(): number | undefined {
    return this.#gops[0]?.units[0]?.frame
  }

  /** Number of the newest keyframe at or before `captureMs`; of the oldest one where the ring begins later. */
  keyframeAt(captureMs: number): number | undefined {
    return this.#gops[this.#gopAt(captureMs)]?.units[0]?.frame
  }

  /** Whether taking it drops everything before it: the camera's clock was set back. */
  stepsBack(unit: AccessUnit): boolean {
    const before = this.#gops.at(-1)?.units[0]
    return unit.keyframe && before !== undefined && unit.captureMs < before.captureMs - clockStepMs
  }

  /** Told by the camera before the first frame and at each change. What another codec made is dropped: no span mixes codecs. */
  format(video: VideoFormat | undefined, audio: AudioFormat | undefined): void {
    if (this.#video !== undefined && video !== undefined && this.#video.codec !== video.codec) this.#dropVideo()
    if (this.#audioFormat !== undefined && !sameSound(this.#audioFormat, audio)) this.#dropAudio(this.#audio.length)
    this.#video = video ?? this.#video
    this.#audioFormat = audio
  }

  accessUnit(unit: AccessUnit): void {
    if (this.stepsBack(unit)) this.clear()
    if (unit.keyframe) {
      this.#gops.push({ units: [], bytes: 0 })
    }
    const gop = this.#gops.at(-1)
    if (gop === undefined) return // nothing to decode it from
    const bytes = unitBytes(unit)
    gop.units.push(unit)
    gop.bytes += bytes
    this.#bytes += bytes
    this.#trim()
  }

  audioFrame(frame: AudioFrame): void {
    this.#audio.push(frame)
    this.#bytes += frame.data.byteLength
    // Without pictures nothing else bounds the sound.
    if (this.#gops.length === 0) this.#dropAudioBefore(frame.captureMs - this.#limits.seconds * 1000)
    this.#trim()
  }

  /** The group of pictures that is being made, with its sound: what a live session starts with. Empty without a keyframe. */
  currentGop(): Span {
    const gop = this.#gops.at(-1)
    return this.#span(gop ? gop.units : [])
  }

  /** Everything from the newest keyframe at or before `captureMs` on; from the oldest one where the ring begins later. */
  since(captureMs: number): Span {
    return this.#span(this.#gops.slice(this.#gopAt(captureMs)).flatMap((gop) => gop.units))
  }

  /** The pictures `fromFrame` … `toFrame` (inclusive) that are still here, with their sound. */
  range(fromFrame: number, toFrame: number): Span {
    const units: AccessUnit[] = []
    for (const gop of this.#gops) {
      if (gop.units.at(-1)!.frame < fromFrame || gop.units[0]!.frame > toFrame) continue
      for (const unit of gop.units) if (unit.frame >= fromFrame && unit.frame <= toFrame) units.push(unit)
    }
    return this.#span(units)
  }

  /** Single pictures, as far as they are still here, without sound. */
  pictures(wanted: (frame: number) => boolean): Span {
    const units = this.#gops.flatMap((gop) => gop.units.filter((unit) => wanted(unit.frame)))
    return { videoFormat: this.#video, audioFormat: undefined, units, audio: [] }
  }

  /** Pictures from this number on stay beyond `seconds` (bytes permitting), until called again; undefined lets them go. */
  keepFrom(frame: number | undefined): void {
    this.#keepFrom = frame
  }

  clear(): void {
    this.#gops = []
    this.#audio = []
    this.#bytes = 0
  }

  #gopAt(captureMs: number): number {
    const index = this.#gops.findLastIndex((gop) => gop.units[0]!.captureMs <= captureMs)
    return Math.max(0, index)
  }

  #span(units: readonly AccessUnit[]): Span {
    const audio: AudioFrame[] = []
    if (units.length > 0) {
      // With B-pictures the first unit is the first shown, but the last one need not be the last shown.
      const from = units[0]!.captureMs
      let last = from
      for (const unit of units) last = Math.max(last, unit.captureMs)
      const to = this.#shownAfter(units.at(-1)!, last)
      for (const frame of this.#audio) if (frame.captureMs >= from && frame.captureMs < to) audio.push(frame)
    }
    return { videoFormat: this.#video, audioFormat: this.#audioFormat, units, audio }
  }

  /** When the sound of a span ending with `unit` ends: at the next picture shown; open at the live end. */
  #shownAfter(unit: AccessUnit, lastMs: number): number {
    let next = Number.POSITIVE_INFINITY
    let looked = 0
    for (const gop of this.#gops) {
      if (gop.units.at(-1)!.frame <= unit.frame) continue
      for (const other of gop.units) {
        if (other.frame <= unit.frame || other.captureMs <= lastMs) continue
        next = Math.min(next, other.captureMs)
        looked += 1
        if (looked > 8) return next
      }
    }
    return next
  }

  #trim(): void {
    const oldEnough = this.#newestMs() - this.#limits.seconds * 1000
    while (this.#gops.length > 1) {
      const old = this.#gops[1]!.units[0]!.captureMs <= oldEnough
      const wanted = this.#keepFrom !== undefined && this.#gops[0]!.units.at(-1)!.frame >= this.#keepFrom
      if ((!old || wanted) && this.#bytes <= this.#limits.maxBytes) break
      this.#dropOldestGop()
    }
    if (this.#bytes <= this.#limits.maxBytes) return
    const only = this.#gops[0]
    if (only !== undefined && only.bytes > this.#limits.maxBytes / 2) {
      this.oversized += 1
      this.#dropVideo()
    }
    let drop = 0
    let over = this.#bytes - this.#limits.maxBytes
    while (over > 0 && drop < this.#audio.length) {
      over -= this.#audio[drop]!.data.byteLength
      drop += 1
    }
    this.#dropAudio(drop)
  }

  #newestMs(): number {
    return this.#gops.at(-1)?.units.at(-1)?.captureMs ?? Number.NEGATIVE_INFINITY
  }

  #dropOldestGop(): void {
    const gop = this.#gops.shift()
    if (gop === undefined) return
    this.#bytes -= gop.bytes
    const oldest = this.oldestMs
    if (oldest !== undefined) this.#dropAudioBefore(oldest)
  }

  #dropVideo(): void {
    for (const gop of this.#gops) this.#bytes -= gop.bytes
    this.#gops = []
  }

  #dropAudioBefore(captureMs: number): void {
    let drop = 0
    while (drop < this.#audio.length && this.#audio[drop]!.captureMs < captureMs) drop += 1
    this.#dropAudio(drop)
  }

  #dropAudio(count: number): void {
    if (count === 0) return
    for (const frame of this.#audio.splice(0, count)) this.#bytes -= frame.data.byteLength
  }
}

function sameSound(one: AudioFormat, other: AudioFormat | undefined): boolean {
  return (
    other !== undefined &&
    one.codec === other.codec &&
    one.clockRate === other.clockRate &&
    one.channels === other.channels &&
    Buffer.compare(one.config ?? new Uint8Array(), other.config ?? new Uint8Array()) === 0
  )
}
