import type { GapReason } from '../api/calls.ts'

/** Why something that should be recorded is not there. */
export const gapSentences: Record<GapReason, string> = {
  missing: 'Missing: its pictures have not come (yet).',
  restart: 'Missing: the device started anew.',
  not_kept: 'Missing for good: the device does not have its pictures any more.',
  queue_full: 'Missing for good: the device had no room left to keep its pictures.',
  too_old: 'Missing for good: the device could not deliver its pictures in time.',
  refused: 'Missing for good: its pictures could not be read.',
  unanswered: 'Missing: the device was asked for its pictures and did not answer.',
  not_written: 'Missing for good: its pictures could not be written to the recordings disk.',
}
