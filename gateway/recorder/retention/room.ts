import type { ErrorCode } from '@porchlight/proto/errors.ts'

/**
 * Whether a limit leaves room for what comes: `low` where protected footage takes nearly all of it, `none` where it takes
 * all of it and recording stops.
 */
export type Room = 'enough' | 'low' | 'none'

/** What is made free beyond a limit, so that not every part written brings a new round of deleting: this share of it … */
const slackShare = 0.02
/** … but no more than so many bytes. */
const mostSlack = 256_000_000
/** Share of the room that protected footage may take before it is said. */
const lowShare = 0.9

function slackOf(limit: number): number {
  return Math.min(limit * slackShare, mostSlack)
}

/** A round begins when so much is used, bytes. */
function usable(limit: number): number {
  return limit - slackOf(limit) / 2
}

/** Bytes to free where `used` has come close to `limit` (Infinity: none). */
export function toFree(used: number, limit: number): number {
  return used > usable(limit) ? used - (limit - slackOf(limit)) : 0
}

/** Bytes to free of a disk on which less than the reserve is left. */
export function toRegain(freeBytes: number, reserve: number): number {
  return freeBytes < reserve ? reserve + slackOf(reserve) - freeBytes : 0
}

/** Bytes that may be written before `limit` comes close; negative where it has. */
export function headroomOf(used: number, limit: number): number {
  return usable(limit) - used
}

/** @param protectedBytes of the bytes that the limit is for */
export function roomWithin(protectedBytes: number, limit: number): Room {
  if (protectedBytes > usable(limit)) return 'none'
  return protectedBytes > usable(limit) * lowShare ? 'low' : 'enough'
}

/**
 * The same for a disk, when all that may go has gone. A disk that others have filled is not for us to give up on: there
 * recording goes on until it is full.
 */
export function roomOnDisk(protectedBytes: number, freeBytes: number, reserve: number): Room {
  if (protectedBytes === 0 || freeBytes >= reserve) return 'enough'
  return freeBytes < reserve / 2 ? 'none' : 'low'
}

export function worse(a: Room, b: Room): Room {
  if (a === 'none' || b === 'none') return 'none'
  return a === 'low' || b === 'low' ? 'low' : 'enough'
}

/** The sentence of a lack of room. */
export function roomCode(room: Room): ErrorCode | undefined {
  if (room === 'enough') return undefined
  return room === 'none' ? 'protected_full' : 'protected_nearly_full'
}
