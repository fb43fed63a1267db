import { z } from 'zod'
import { name, randomId } from '../ids.ts'
import { envelope } from './envelope.ts'
import { deviceMode } from './recording-mode.ts'
import { relay } from './relay.ts'

/** gateway → device */
export const command = z.discriminatedUnion('type', [
  /** A starting gateway asks everybody: answer with `presence` and `cameras`. */
  envelope.extend({ type: z.literal('hello') }),
  /** Please open a session for this camera (ignored where one lives): answered by `offer` on `signal/up`. */
  envelope.extend({ type: z.literal('stream'), camera: name }),
  /** Where sessions may be relayed from now on; sent when the device comes, and again before the credentials end. */
  envelope.extend({ type: z.literal('relay'), ...relay.shape }),
  /** Please deliver these frames as footage (inclusive), as far as the ring still has them. */
  envelope.extend({
    type: z.literal('footage'),
    camera: name,
    bootId: randomId,
    fromFrame: z.number().int().nonnegative(),
    toFrame: z.number().int().nonnegative(),
  }),
  /** What is recorded of a camera from now on; sent when the device comes, at each change, and again now and then. */
  envelope.extend({ type: z.literal('recording'), camera: name, mode: deviceMode }),
])

export type Command = z.infer<typeof command>
