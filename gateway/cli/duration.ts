import { PorchlightError } from '@porchlight/proto/errors.ts'

const units = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/**
 * Reads `90s`, `30m`, `12h`, `7d`.
 * @returns ms
 * @throws PorchlightError `request_invalid`
 */
export function parseDuration(text: string): number {
  const match = /^(\d{1,6})([smhd])$/.exec(text)
  if (!match || Number(match[1]) === 0)
    throw new PorchlightError('request_invalid', `${text}: a duration is 90s, 30m, 12h or 7d`)
  return Number(match[1]) * units[match[2] as keyof typeof units]
}
