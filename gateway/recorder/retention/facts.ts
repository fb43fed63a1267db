import type { EventKind } from '@porchlight/proto/messages/event.ts'

/** A file of recordings, as far as keeping it or not depends on it. Times are ms since the Unix epoch. */
export interface FileFacts {
  id: number
  camera: string
  /** Capture times of its first picture and of the end of its last, on the device's clock. */
  startMs: number
  endMs: number
  /** When the file was made, on the gateway's clock. */
  createdAt: number
  bytes: number
  /** Nothing is added any more, and nobody tries to delete it already. */
  removable: boolean
}

export interface EventFacts {
  id: string
  camera: string
  kind: EventKind
  /** Recording wanted from … to; null while it goes on. */
  fromMs: number
  toMs: number | null
  protected: boolean
}

export interface DiskSpace {
  /** Bytes that can still be written. */
  freeBytes: number
  /** Bytes of the whole disk. */
  totalBytes: number
}

/** What the gateway knows when it decides about its recordings. */
export interface RetentionFacts {
  files: readonly FileFacts[]
  events: readonly EventFacts[]
  /** Undefined where it could not be found out: then nothing is deleted for the sake of free space. */
  disk: DiskSpace | undefined
  /** Files made before this time (ms) may belong to events that the index does not know: it was lost, or is another's. */
  strangersUntil: number | undefined
  /** ms since the Unix epoch */
  now: number
}

/** What a file is needed for; for nothing of it: continuous footage. */
export interface Need {
  ring: boolean
  motion: boolean
  protected: boolean
}

const hourMs = 3_600_000
/** Footage that an outage kept away comes no later than this. */
const mostLateMs = 31 * 24 * hourMs
/** Clocks of devices and gateway differ by no more, unless one of them is wrong. */
const mostAheadMs = hourMs

/**
 * When a file's pictures were taken, for its age: their capture time, unless that cannot be true (a camera that boots in
 * 1970, or lives in the future); then when the file was made.
 */
export function recordedAt({ endMs, createdAt }: Pick<FileFacts, 'endMs' | 'createdAt'>): number {
  const late = createdAt - endMs
  return late > mostLateMs || late < -mostAheadMs ? createdAt : endMs
}
