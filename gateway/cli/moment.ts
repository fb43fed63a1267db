import { PorchlightError } from '@porchlight/proto/errors.ts'
import { z } from 'zod'

const moment = z.union([z.iso.datetime({ offset: true, local: true }), z.iso.date()])

/**
 * Reads a date (`2026-11-21`, its first moment in UTC) or a time (`2026-11-21T18:30`, where nothing else is said in this
 * machine's zone; `…Z`, `…+01:00`).
 * @returns ms since the Unix epoch
 * @throws PorchlightError `request_invalid`
 */
export function parseMoment(text: string): number {
  if (!moment.safeParse(text).success)
    throw new PorchlightError('request_invalid', `${text}: a time is 2026-11-21 or 2026-11-21T18:30:00Z`)
  return Date.parse(text)
}
