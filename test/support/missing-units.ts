import type { SentUnit } from '../sim/media-loop.ts'
import type { RecordedUnit } from './recorded-units.ts'

/** A picture that a camera sent. */
export interface NumberedUnit extends SentUnit {
  /** As the camera's agent numbers it. */
  frame: number
}

/**
 * The pictures of a camera with their numbers: an agent that met no gap counts all that it saw, from 0 on.
 * @param sent by a camera whose only client is one agent, since before that agent came
 */
export function numbered(sent: readonly SentUnit[]): NumberedUnit[] {
  return sent.filter(({ seen }) => seen).map((unit, frame) => ({ ...unit, frame }))
}

/**
 * Which pictures are not recorded, each under its own number: an empty room looks the same again and again, so the same
 * bytes elsewhere are not enough.
 * @param recorded of one run
 */
export function missingUnits(wanted: readonly NumberedUnit[], recorded: readonly RecordedUnit[]): NumberedUnit[] {
  const there = new Set(recorded.map(({ frame, hash }) => `${frame} ${hash}`))
  return wanted.filter(({ frame, hash }) => !there.has(`${frame} ${hash}`))
}
