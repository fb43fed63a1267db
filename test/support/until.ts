import { setTimeout as wait } from 'node:timers/promises'

/**
 * Asks again and again (5 times a second) until there is an answer: for what other programs say only when asked.
 * @throws Error naming `what` after `deadlineMs`
 */
export async function until<Found>(
  what: string | (() => string),
  look: () => Promise<Found | undefined | false> | Found | undefined | false,
  deadlineMs = 90_000,
): Promise<Found> {
  const deadline = Date.now() + deadlineMs
  for (;;) {
    const found = await look()
    if (found !== undefined && found !== false) return found
    if (Date.now() > deadline) {
      throw new Error(`waited ${deadlineMs} ms in vain for ${typeof what === 'string' ? what : what()}`)
    }
    await wait(200)
  }
}
