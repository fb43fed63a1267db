import { z } from 'zod'
import { name, randomId } from '../ids.ts'
import { envelope } from './envelope.ts'
import { offer } from './signal.ts'

/**
 * Something happened at a camera. `begin` comes once, `active` every few seconds while it goes on (the gateway ends an
 * event that has gone quiet), `end` once. A ring is an event of its own with a short life.
 */
export const event = envelope.extend({
  type: z.literal('event'),
  eventId: randomId,
  camera: name,
  kind: z.enum(['ring', 'motion']),
  phase: z.enum(['begin', 'active', 'end']),
  /** When it happened (begin: first sign; end: last sign plus hold), device clock, ms since the Unix epoch. */
  at: z.number().finite(),
  bootId: randomId,
  /** Number of the newest video frame at `at`, where there is one. */
  frame: z.number().int().nonnegative().optional(),
  /** In `begin` when no session lives: one publish is the event and the start of the stream. */
  offer: offer.optional(),
})

export type Event = z.infer<typeof event>
export type EventKind = Event['kind']
