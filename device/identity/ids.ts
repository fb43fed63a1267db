import { randomBytes } from 'node:crypto'

/** A new id for a boot, a session, an event or a message: 96 random bits, base64url. */
export function newId(): string {
  return randomBytes(12).toString('base64url')
}
