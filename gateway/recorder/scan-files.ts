import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { hasErrno } from './disk-error.ts'
import type { ScannedFile, ScannedPart, ScanResult, UnreadablePath } from './disk-protocol.ts'
import { formatOf, recordingExtension } from './file-format.ts'

/** A file of ours ends long before: 60 s at 100 Mbit/s. */
const maxFileBytes = 1024 * 1024 * 1024

/**
 * Reads the recordings that are not `known`: what the index does not have yet, or has as still growing.
 * @param known relative paths
 */
export function scanFiles(directory: string, known: ReadonlySet<string>): ScanResult {
  const unreadable: UnreadablePath[] = []
  const files: ScannedFile[] = []
  for (const path of recordingPaths(directory, unreadable)) {
    const scanned = known.has(path) ? undefined : attempt(path, unreadable, () => scanFile(directory, path))
    if (scanned) files.push(scanned)
  }
  return { files, unreadable }
}

/**
 * The files in the place of recordings, `{camera}/{day}/{name}.mp4` or `.webm`, sorted.
 * @param unreadable takes the folders that cannot be read; reading goes on without them
 */
export function recordingPaths(directory: string, unreadable: UnreadablePath[]): string[] {
  const list = (folder: string) => attempt(folder, unreadable, () => listFolder(join(directory, folder))) ?? []
  return list('')
    .flatMap((camera) => list(camera).map((day) => `${camera}/${day}`))
    .flatMap((folder) => list(folder).map((name) => `${folder}/${name}`))
    .filter((path) => recordingExtension.test(path))
}

/** What `read` gives; where the disk refuses, the path is `unreadable`, and one bad file does not hide the others. */
export function attempt<T>(path: string, unreadable: UnreadablePath[], read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error
    unreadable.push({ path, message: error.message })
    return undefined
  }
}

/** Whether the path, or a folder above it, could not be read. */
export function isHidden(path: string, unreadable: readonly UnreadablePath[]): boolean {
  return unreadable.some((bad) => bad.path === '' || `${path}/`.startsWith(`${bad.path}/`))
}

function listFolder(path: string): string[] {
  try {
    return readdirSync(path).toSorted()
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return []
    throw error
  }
}

/** Reads one file: its whole parts, up to where it was cut off. Undefined where it is not a recording of ours. */
export function scanFile(directory: string, path: string): ScannedFile | undefined {
  const whole = join(directory, path)
  const { birthtimeMs, size } = statSync(whole)
  if (size > maxFileBytes) return undefined
  const bytes = readFileSync(whole)
  let file: Omit<ScannedFile, 'parts' | 'damaged' | 'wholeBytes'> | undefined
  let wholeBytes = 0
  const parts: ScannedPart[] = []
  const damaged: ScannedPart[] = []
  for (const { record, start, end } of formatOf(bytes).recordsOf(bytes)) {
    if (record.type === 'file' && file === undefined) {
      const config = configHash(bytes.subarray(0, start))
      file = { path, createdAt: birthtimeMs, record, initBytes: start, config, bytes: size }
      wholeBytes = end
    } else if (record.type === 'part' && file) {
      const offset = start - record.bytes
      // a power cut may leave a record whose data never reached the disk
      if (offset > file.initBytes && crc32(bytes.subarray(offset, start)) === record.crc) {
        parts.push({ ...record, offset })
        wholeBytes = end
      } else damaged.push({ ...record, offset })
    }
  }
  return file && { ...file, wholeBytes, parts, damaged }
}

/** Names an init segment: SHA-256, hex. */
export function configHash(init: Uint8Array): string {
  return createHash('sha256').update(init).digest('hex')
}
