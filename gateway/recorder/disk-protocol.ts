import type { ErrorCode } from '@porchlight/proto/errors.ts'
import type { FileRecord, PartRecord } from '@porchlight/proto/media/recording-record.ts'
import type { DirectoryClaim } from './recordings-directory.ts'

/** What a writing thread is asked. `identity` is that of the directory that was claimed. */
export type DiskWork =
  /** Takes the directory for this program; nothing is written to it before. */
  | { type: 'claim'; claim: DirectoryClaim }
  /** Asks whether it is still the directory that was claimed. */
  | { type: 'check'; identity: string | undefined }
  /** Makes a new file with this content; where the name is taken, the next number is tried. */
  | { type: 'create'; stem: string; content: readonly Uint8Array[]; identity: string | undefined }
  /** Adds to the end of a file that was made here, and waits until the disk has it. */
  | { type: 'append'; file: number; content: readonly Uint8Array[] }
  /** Nothing more comes: the file is made read-only. */
  | { type: 'finish'; file: number }
  /** Takes a file away that was made here and holds no part. */
  | { type: 'discard'; file: number }
  /** Takes off what an earlier gateway could not write to its end, and makes the file read-only. */
  | { type: 'seal'; path: string; bytes: number }
  /** Replaces a small file as a whole. */
  | { type: 'replace'; path: string; content: Uint8Array; identity: string | undefined }
  /** Deletes a file, and its folder where that was the last one in it. One that is not there is fine. */
  | { type: 'remove'; path: string }
  /** How much room the disk has, and how many of some files are there. */
  | { type: 'space'; probe: readonly string[] }
  /** Reads what our own records in the recordings say; `known` are the files that need not be read. */
  | { type: 'scan'; known: Set<string> }
  | { type: 'close' }

export interface DiskRequest {
  id: number
  work: DiskWork
}

export interface DiskAnswers {
  claim: { identity: string }
  check: Record<string, never>
  create: { file: number; path: string; bytes: number }
  append: { offset: number }
  /** `whole`: it needs no look at the next start. */
  finish: { whole: boolean }
  discard: Record<string, never>
  seal: Record<string, never>
  replace: Record<string, never>
  remove: Record<string, never>
  space: SpaceAnswer
  scan: ScanResult
  close: Record<string, never>
}

export type DiskResponse =
  | { id: number; ok: true; answer: DiskAnswers[keyof DiskAnswers] }
  | { id: number; ok: false; message: string; errno?: string; code?: ErrorCode }

export interface ScanResult {
  files: ScannedFile[]
  /** Files and folders that the disk does not give, relative. */
  unreadable: UnreadablePath[]
}

export interface UnreadablePath {
  path: string
  message: string
}

export interface SpaceAnswer {
  /** Bytes that we may still write. */
  freeBytes: number
  /** Bytes of the whole disk. */
  totalBytes: number
  /** Files that were looked for, and those of them that are there. */
  probed: number
  found: number
}

/** A file of recordings as its own records describe it. */
export interface ScannedFile {
  /** Relative to the recordings directory, with `/`. */
  path: string
  createdAt: number
  record: FileRecord
  initBytes: number
  /** SHA-256 (hex) of the init segment. */
  config: string
  /** Where the last whole part ends. */
  wholeBytes: number
  /** Of the file. */
  bytes: number
  /** Whole parts only; `offset` is where the `moof` begins. */
  parts: ScannedPart[]
  /** Parts whose bytes are not those that were written. */
  damaged: ScannedPart[]
}

export type ScannedPart = PartRecord & { offset: number }

/** `workerData` of the disk worker. */
export interface DiskOptions {
  /** The recordings directory. */
  directory: string
  /** URL of the module whose `fileLayer` stands for the disk; the real one otherwise. */
  fileLayer?: string | undefined
}
