import * as mp4 from '@porchlight/proto/media/fmp4/part-record.ts'
import type { FileRecord, PartRecord, PlacedRecord } from '@porchlight/proto/media/recording-record.ts'
import { isWebm } from '@porchlight/proto/media/webm/header.ts'
import * as webm from '@porchlight/proto/media/webm/part-record.ts'
import { FileTimeline } from './encode-part.ts'
import { WebmTimeline } from './encode-webm-part.ts'
import type { Part } from './part-builder.ts'

/** The timeline of one file: what the next part has to go on from. */
export interface PartTimeline {
  /** Capture time that is 0, ms. */
  readonly baseMs: number
  /** The bytes of a part. Its sound is left out where `withAudio` is false. */
  encode(part: Part, withAudio: boolean): Uint8Array
}

/** A container that recordings are written in. */
export interface FileFormat {
  /** Of the files' names. */
  extension: string
  /** @param baseMs capture time that is 0 */
  timeline(baseMs: number): PartTimeline
  writeRecord(content: FileRecord | PartRecord): Uint8Array
  /** The records of a file, up to where it was cut off. */
  recordsOf(bytes: Uint8Array): Iterable<PlacedRecord>
}

const mp4Format: FileFormat = { extension: 'mp4', timeline: (baseMs) => new FileTimeline(baseMs), ...mp4 }
const webmFormat: FileFormat = { extension: 'webm', timeline: (baseMs) => new WebmTimeline(baseMs), ...webm }

/** The names of recordings end so. */
export const recordingExtension = /\.(?:mp4|webm)$/

/** @param bytes a file, or its beginning */
export function formatOf(bytes: Uint8Array): FileFormat {
  return isWebm(bytes) ? webmFormat : mp4Format
}
