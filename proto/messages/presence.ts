import { z } from 'zod'
import { randomId } from '../ids.ts'
import { envelope } from './envelope.ts'

/**
 * Retained on `presence`, and the last will (`online: false`). Arrives twice and out of order in real life:
 * the higher `epoch` wins; at the same epoch, offline after online.
 */
export const presence = envelope.extend({
  type: z.literal('presence'),
  online: z.boolean(),
  /** New at each start of the agent. */
  bootId: randomId,
  /** Counts connections to the broker; kept on the device's disk across restarts. */
  epoch: z.number().int().nonnegative(),
  /** Version of the agent. */
  version: z.string().max(32),
})

export type Presence = z.infer<typeof presence>
