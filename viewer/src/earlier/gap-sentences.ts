import type { Timeline } from '../api/calls.ts'

/** Why something that should be recorded is not there. */
export const gapSentences: Record<Timeline['gaps'][0][2], string> = {
  missing: 'Missing: its pictures have not come (yet).',
  restart: 'Missing: the device started anew.',
}
