import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { walk } from '@porchlight/proto/media/fmp4/boxes.ts'
import { readRecord } from '@porchlight/proto/media/fmp4/part-record.ts'
import type { ScannedFile } from './disk-protocol.ts'

/** A file of ours ends long before: 60 s at 100 Mbit/s. */
const maxFileBytes = 1024 * 1024 * 1024

/**
 * Reads the recordings that are not `known`: what the index does not have yet, or has as still growing.
 * @param known relative paths
 */
export function scanFiles(directory: string, known: ReadonlySet<string>): ScannedFile[] {
  const found: ScannedFile[] = []
  for (const camera of list(directory)) {
    for (const day of list(join(directory, camera))) {
      for (const name of list(join(directory, camera, day))) {
        const path = `${camera}/${day}/${name}`
        if (!name.endsWith('.mp4') || known.has(path)) continue
        const scanned = scanFile(directory, path)
        if (scanned) found.push(scanned)
      }
    }
  }
  return found
}

function list(directory: string): string[] {
  try {
    return readdirSync(directory).toSorted()
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'ENOENT' || code === 'ENOTDIR') return []
    throw error
  }
}

/** Reads one file: its whole parts, up to where it was cut off. Undefined where it is not a recording of ours. */
export function scanFile(directory: string, path: string): ScannedFile | undefined {
  const whole = join(directory, path)
  const { birthtimeMs, size } = statSync(whole)
  if (size > maxFileBytes) return undefined
  const bytes = readFileSync(whole)
  let file: Omit<ScannedFile, 'parts' | 'wholeBytes'> | undefined
  let wholeBytes = 0
  const parts: ScannedFile['parts'] = []
  for (const place of walk(bytes)) {
    const record = readRecord(bytes, place)
    if (record?.type === 'file' && file === undefined) {
      const config = configHash(bytes.subarray(0, place.start))
      file = { path, createdAt: birthtimeMs, record, initBytes: place.start, config }
      wholeBytes = place.end
    } else if (record?.type === 'part' && file) {
      const offset = place.start - record.bytes
      // a power cut may leave a record whose data never reached the disk
      if (offset > file.initBytes && crc32(bytes.subarray(offset, place.start)) === record.crc) {
        parts.push({ ...record, offset })
        wholeBytes = place.end
      }
    }
  }
  return file && { ...file, wholeBytes, parts }
}

/** Names an init segment: SHA-256, hex. */
export function configHash(init: Uint8Array): string {
  return createHash('sha256').update(init).digest('hex')
}
