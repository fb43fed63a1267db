import { z } from 'zod'

/** The times a Date can hold end here, ms. */
const latestMs = 8.64e15

/** ISO 8601 with its offset from UTC: without it nobody could say which moment is meant. */
const isoTime = z.iso.datetime({ offset: true })

/** A moment in a query: ms since the Unix epoch, or ISO 8601 with `Z` or an offset. */
export const moment = z
  .string()
  .max(40)
  .transform((text, context) => {
    // a `+` that was not escaped has become a space
    const iso = text.trim().replace(' ', '+')
    const ms = /^\d{1,16}(?:\.\d{1,9})?$/.test(text)
      ? Number(text)
      : isoTime.safeParse(iso).success
        ? Date.parse(iso)
        : Number.NaN
    if (ms >= 0 && ms <= latestMs) return ms
    context.addIssue({ code: 'custom', message: 'ms since the Unix epoch, or ISO 8601 with Z or an offset' })
    return z.NEVER
  })
  .describe('ms since the Unix epoch, or ISO 8601 with `Z` or an offset.')

/** From … to, `to` not included. */
export const timeRange = z.object({ from: moment, to: moment })
