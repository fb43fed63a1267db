/**
 * What one estimate of a real run was told, in order: `s` packets sent at one moment (ms since the event before, first
 * transport-wide number, bytes of each), `f` a feedback (ms, first number, arrivals in steps of 250 µs; null: lost).
 */
export interface Trace {
  about: string
  events: (['s', number, number, number[]] | ['f', number, number, (number | null)[]])[]
}

export const tickUs = 250
