import { pino } from 'pino'

/** A logger for tests: says nothing, because console output fails a test. */
export const quietLog = pino({ level: 'silent' })
