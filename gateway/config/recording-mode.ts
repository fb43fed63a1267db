import type { RecordingMode } from '@porchlight/proto/messages/recording-mode.ts'

/** As `Date.getDay` counts them. */
export const weekdays = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const
export type Weekday = (typeof weekdays)[number]

/** A mode at certain hours. */
export interface ScheduledMode {
  /** Days on which it begins. */
  days: readonly Weekday[]
  /** `hh:mm` of the gateway's time zone. Where `to` is not after `from` it is the next day's. */
  from: string
  to: string
  mode: RecordingMode
}

export interface ModeSettings {
  mode: RecordingMode
  /** The first that fits a moment counts; where none does, `mode`. */
  schedule: readonly ScheduledMode[]
}

/** What is recorded at a moment. @param at in the time zone of this process */
export function modeAt({ mode, schedule }: ModeSettings, at: Date): RecordingMode {
  return schedule.find((one) => covers(one, at))?.mode ?? mode
}

/** The mode of every camera, and of those that have their own, by id. */
export interface RecordingModes extends ModeSettings {
  cameras: Readonly<Record<string, ModeSettings>>
}

/** What is recorded of a camera at a moment. @param ms since the Unix epoch */
export function configuredMode(modes: RecordingModes, camera: string, ms: number): RecordingMode {
  return modeAt(modes.cameras[camera] ?? modes, new Date(ms))
}

function covers({ days, from, to }: ScheduledMode, at: Date): boolean {
  const today = at.getDay()
  const minute = at.getHours() * 60 + at.getMinutes()
  const begin = minutesOf(from)
  const end = minutesOf(to)
  const beginsOn = (day: number) => days.includes(weekdays[(day + 7) % 7]!)
  if (begin < end) return beginsOn(today) && minute >= begin && minute < end
  return (beginsOn(today) && minute >= begin) || (beginsOn(today - 1) && minute < end)
}

function minutesOf(time: string): number {
  const [hours, minutes] = time.split(':')
  return Number(hours) * 60 + Number(minutes)
}
