/** What names of runs do not hold by themselves (proto/ids.ts `randomId`). */
const suffix = '.sub'

/** Names the numbering of the small layer's frames, beside that of the main one's. */
export const subRun = (run: string): string => run + suffix

/** Whether frames of this run are of a camera's small layer. */
export const isSubRun = (run: string): boolean => run.endsWith(suffix)
