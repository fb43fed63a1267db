import { encodeFootageAudio, encodeFootageHeader, encodeFootageUnit } from '@porchlight/proto/footage.ts'
import type { AccessUnit, AudioFrame } from '@porchlight/proto/media/access-unit.ts'
import type { Span } from '../preroll/ring.ts'
import type { FrameRanges } from './ranges.ts'

/** Bytes of a body in order; `last` where it ends with them. */
export interface BodyPiece {
  bytes: Uint8Array
  last: boolean
}

/** What a delivery sends, from memory or from the disk. */
export interface BodyReader {
  /** Bytes from `offset` on, at most `maxBytes`; undefined where `offset` lies beyond the end. */
  read(offset: number, maxBytes: number): Promise<BodyPiece | undefined> | BodyPiece | undefined
}

/** Bytes that a span takes in memory, about. */
export function spanBytes(span: Span): number {
  const video = span.units.reduce((sum, unit) => sum + unit.data.reduce((bytes, part) => bytes + part.byteLength, 0), 0)
  return video + span.audio.reduce((sum, frame) => sum + frame.data.byteLength, 0)
}

/** Cuts a span into spans of about `maxBytes`, only ahead of keyframes; each with the sound of its own pictures. */
export function splitSpan(span: Span, maxBytes: number): Span[] {
  const pieces: AccessUnit[][] = []
  let bytes = 0
  for (const unit of span.units) {
    if (pieces.length === 0 || (unit.keyframe && bytes >= maxBytes)) {
      pieces.push([])
      bytes = 0
    }
    pieces.at(-1)!.push(unit)
    bytes += unit.data.reduce((sum, part) => sum + part.byteLength, 0)
  }
  let sound = 0
  return pieces.map((units, index) => {
    const next = pieces[index + 1]?.[0]?.captureMs ?? Number.POSITIVE_INFINITY
    const audio: AudioFrame[] = []
    for (; sound < span.audio.length && span.audio[sound]!.captureMs < next; sound += 1) {
      audio.push(span.audio[sound]!)
    }
    return { ...span, units, audio }
  })
}

/** Only these pictures of a span, each with the sound between the pictures before and after it. */
export function spanOf(span: Span, frames: FrameRanges): Span {
  const units: AccessUnit[] = []
  const audio: AudioFrame[] = []
  let sound = 0
  let before = false
  const soundUntil = (captureMs: number, wanted: boolean) => {
    for (; sound < span.audio.length && span.audio[sound]!.captureMs <= captureMs; sound += 1) {
      if (wanted) audio.push(span.audio[sound]!)
    }
  }
  for (const unit of span.units) {
    const kept = frames.has(unit.frame)
    soundUntil(unit.captureMs, before || kept)
    if (kept) units.push(unit)
    before = kept
  }
  soundUntil(Number.POSITIVE_INFINITY, before)
  return { ...span, units, audio }
}

/** A span as the bytes of a footage delivery (proto/footage.ts), made piece by piece and the same each time. */
export class FootageBody implements BodyReader {
  readonly #run: string
  readonly #span: Span
  #records: Iterator<Uint8Array>
  /** Bytes before `#rest`. */
  #at = 0
  #rest: Uint8Array = new Uint8Array()

  constructor(run: string, span: Span) {
    this.#run = run
    this.#span = span
    this.#records = this.#encode()
  }

  /**
   * Bytes from `offset` on, at most `maxBytes`; `last` where the body ends with them. Going back begins from the start.
   * Undefined where `offset` lies beyond the end.
   */
  read(offset: number, maxBytes: number): BodyPiece | undefined {
    if (offset < this.#at) {
      this.#records = this.#encode()
      this.#at = 0
      this.#rest = new Uint8Array()
    }
    while (this.#at + this.#rest.byteLength <= offset) {
      this.#at += this.#rest.byteLength
      const next = this.#records.next()
      this.#rest = next.done ? new Uint8Array() : next.value
      if (next.done) return undefined
    }
    this.#rest = this.#rest.subarray(offset - this.#at)
    this.#at = offset
    const parts: Uint8Array[] = []
    let bytes = 0
    while (bytes < maxBytes) {
      const part = this.#rest.subarray(0, maxBytes - bytes)
      parts.push(part)
      bytes += part.byteLength
      this.#at += part.byteLength
      this.#rest = this.#rest.subarray(part.byteLength)
      if (this.#rest.byteLength > 0) break
      if (!this.#advance()) return { bytes: Buffer.concat(parts), last: true }
    }
    return { bytes: Buffer.concat(parts), last: false }
  }

  #advance(): boolean {
    const next = this.#records.next()
    if (next.done) return false
    this.#rest = next.value
    return true
  }

  /** Pictures and sound by capture time as they came, so that what arrives of a cut delivery belongs together. */
  *#encode(): Generator<Uint8Array> {
    const { videoFormat, audioFormat, units, audio } = this.#span
    yield encodeFootageHeader({ run: this.#run, video: videoFormat, audio: audioFormat })
    let sound = 0
    for (const unit of units) {
      for (; sound < audio.length && audio[sound]!.captureMs <= unit.captureMs; sound += 1) {
        yield encodeFootageAudio(audio[sound]!)
      }
      yield encodeFootageUnit(unit)
    }
    for (; sound < audio.length; sound += 1) yield encodeFootageAudio(audio[sound]!)
  }
}
