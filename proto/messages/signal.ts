import { z } from 'zod'
import { name, randomId } from '../ids.ts'
import { envelope } from './envelope.ts'

const sdp = z.string().min(1).max(32_000)
/** base64url, Ed25519: 64 bytes. */
const signature = z.string().regex(/^[A-Za-z0-9_-]{86}$/)
const nonce = z.string().regex(/^[A-Za-z0-9_-]{22,64}$/)

/** What starts a session; also rides in an event message. `signature` covers proto/identity/statement.ts `offerStatement`. */
export const offer = z.object({
  session: randomId,
  camera: name,
  bootId: randomId,
  sdp,
  nonce,
  signature,
})

const numbered = envelope.extend({
  session: randomId,
  /** Counts the messages of one direction of a session from 0; a receiver drops what is not newer. */
  seq: z.number().int().nonnegative(),
})

const candidates = numbered.extend({
  type: z.literal('candidates'),
  candidates: z.array(z.object({ candidate: z.string().max(512), mid: z.string().max(32) })).max(32),
})
const bye = numbered.extend({ type: z.literal('bye'), reason: z.string().max(64) })

/** device → gateway */
export const signalUp = z.discriminatedUnion('type', [
  numbered.extend({ type: z.literal('offer'), offer }),
  /** The device has checked the answer. `signature` covers `sessionStatement`; media before it is not taken. */
  numbered.extend({ type: z.literal('confirm'), signature }),
  candidates,
  bye,
])

/** gateway → device */
export const signalDown = z.discriminatedUnion('type', [
  /** `signature` covers `sessionStatement`: both fingerprints, both ufrags, session and nonce. */
  numbered.extend({ type: z.literal('answer'), sdp, signature }),
  candidates,
  bye,
])

export type Offer = z.infer<typeof offer>
export type SignalUp = z.infer<typeof signalUp>
export type SignalDown = z.infer<typeof signalDown>
