import { PorchlightError } from '@porchlight/proto/errors.ts'

/** A time of a camera that somebody asks for, ms since the Unix epoch; `toMs` is not in it. */
export interface ClipRange {
  camera: string
  fromMs: number
  toMs: number
}

/** @throws PorchlightError `range_invalid` where it ends before it begins, `range_too_long` */
export function checkRange({ fromMs, toMs }: ClipRange, longestMs: number): void {
  if (!(fromMs < toMs)) throw new PorchlightError('range_invalid')
  if (toMs - fromMs > longestMs) throw new PorchlightError('range_too_long', `at most ${longestMs / 3_600_000} hours`)
}
