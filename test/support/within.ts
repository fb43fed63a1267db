/**
 * What another program owes, or an end to the waiting.
 * @throws Error naming `what` after `deadlineMs`
 */
export async function within<Found>(what: string, deadlineMs: number, found: Promise<Found>): Promise<Found> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(new Error(`waited ${deadlineMs} ms in vain for ${what}`)), deadlineMs)
  try {
    return await Promise.race([found, late.promise])
  } finally {
    clearTimeout(timer)
  }
}
