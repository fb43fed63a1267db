import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readFragment } from '@porchlight/proto/media/fmp4/fragment.ts'
import { videoTimescale, videoTrack } from '@porchlight/proto/media/fmp4/init-segment.ts'
import * as h264 from '@porchlight/proto/media/h264.ts'
import { scanFiles } from '../../gateway/recorder/scan-files.ts'
import type { SentUnit } from '../sim/media-loop.ts'

/** An access unit that is on the gateway's disk. */
export interface RecordedUnit {
  run: string
  frame: number
  captureMs: number
  hash: string
  /** Of the sample. */
  bytes: number
  /** Its file, relative to the recordings directory. */
  path: string
  generation: number
}

/** SHA-256, hex, of an H.264 picture's slices: parameter sets and delimiters are put in and left out on the way. */
export function sliceHash(nals: readonly Uint8Array[]): string {
  const hash = createHash('sha256')
  for (const nal of nals) if (h264.isSlice(nal)) hash.update(nal)
  return hash.digest('hex')
}

/** Every whole part of a camera in a recordings directory, read from the files themselves; H.264 only. */
export function recordedUnits(directory: string, camera: string): RecordedUnit[] {
  const { files, unreadable } = scanFiles(directory, new Set())
  if (unreadable.length > 0) throw new Error(`cannot be read: ${JSON.stringify(unreadable)}`)
  return files
    .filter(({ record }) => record.camera === camera)
    .flatMap(({ path, record, parts }) => {
      const bytes = readFileSync(join(directory, path))
      return parts.flatMap((part) => {
        const whole = bytes.subarray(part.offset, part.offset + part.bytes)
        const video = readFragment(whole)?.tracks.find(({ track }) => track === videoTrack)
        if (video === undefined) throw new Error(`a part of ${path} has no pictures`)
        let ticks = video.baseTime
        return video.samples.map((sample, index): RecordedUnit => {
          const shown = ticks + sample.offset
          ticks += sample.duration
          return {
            run: part.run,
            frame: part.firstFrame + index,
            captureMs: record.baseMs + (shown * 1_000) / videoTimescale,
            hash: sliceHash(lengthPrefixed(whole.subarray(sample.at, sample.at + sample.size))),
            bytes: sample.size,
            path,
            generation: part.generation,
          }
        })
      })
    })
}

/**
 * Which of the pictures that a camera sent are not among those recorded. A camera that plays a loop sends the same picture
 * again and again: each counts once, for the one that was sent nearest to when it was captured.
 */
export function notRecorded(sent: readonly SentUnit[], recorded: readonly RecordedUnit[]): SentUnit[] {
  const byHash = Map.groupBy(recorded, ({ hash }) => hash)
  return sent.filter(({ hash, sentMs }) => {
    return !byHash.get(hash)?.some(({ captureMs }) => Math.abs(captureMs - sentMs) < sameMs)
  })
}

/** Capture time and sending differ by less, and a picture comes again only after longer, ms. */
const sameMs = 5_000

function lengthPrefixed(sample: Uint8Array): Uint8Array[] {
  const view = new DataView(sample.buffer, sample.byteOffset, sample.byteLength)
  const nals: Uint8Array[] = []
  for (let at = 0; at + 4 <= sample.byteLength; ) {
    const length = view.getUint32(at)
    nals.push(sample.subarray(at + 4, at + 4 + length))
    at += 4 + length
  }
  return nals
}
