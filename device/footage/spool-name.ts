/** What the name of a file in the spool says of the delivery in it. */
export interface SpoolName {
  /** When the footage was made, device clock, ms since the Unix epoch. */
  sinceMs: number
  /** Numbering of the frames: the boot id of then. */
  run: string
  /** First and last picture; there may be holes between. */
  from: number
  to: number
  /** Id of the delivery at the gateway. */
  id: string
}

const pattern = /^(\d{1,15})\.([A-Za-z0-9_-]{8,64})\.(\d{1,10})-(\d{1,10})\.([A-Za-z0-9_-]{8,64})\.footage$/
/** Behind the name of a file that is being written. */
export const unfinishedSuffix = '.part'

export function writeSpoolName({ sinceMs, run, from, to, id }: SpoolName): string {
  return `${Math.max(0, Math.round(sinceMs))}.${run}.${from}-${to}.${id}.footage`
}

/** Undefined for a file that is none of ours. */
export function readSpoolName(text: string): SpoolName | undefined {
  const [, sinceMs, run, from, to, id] = pattern.exec(text) ?? []
  if (run === undefined || id === undefined || Number(from) > Number(to)) return undefined
  return { sinceMs: Number(sinceMs), run, from: Number(from), to: Number(to), id }
}
