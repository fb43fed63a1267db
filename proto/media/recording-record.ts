import { z } from 'zod'
import { cameraId, randomId } from '../ids.ts'

/**
 * What a recording says of itself, in places that players pass over: with it the index of recordings can be made again
 * from the files alone. One record stands after the file's beginning and says whose file it is; one stands after each
 * part, so that a part without it was not written to its end.
 */
const mark = Uint8Array.from([
  0x50, 0x6f, 0x72, 0x63, 0x68, 0x6c, 0x4d, 0x69, 0x9c, 0x68, 0x74, 0x01, 0x70, 0x61, 0x72, 0x74,
])
const maxRecordBytes = 64 * 1024

const time = z.number().min(0).max(1e13)
const uint32 = z.number().int().min(0).max(0xffffffff)

const fileRecord = z.object({
  v: z.literal(1),
  type: z.literal('file'),
  camera: cameraId,
  /** Capture time that is 0 in the file's own timeline, ms since the Unix epoch. */
  baseMs: time,
})

const partRecord = z.object({
  v: z.literal(1),
  type: z.literal('part'),
  /** Numbering of the frames: the device's boot id. */
  run: randomId,
  firstFrame: uint32,
  lastFrame: uint32,
  keyframe: z.boolean(),
  startMs: time,
  endMs: time,
  /** Capture times that its sound covers. */
  audio: z.array(z.tuple([time, time])).max(1024),
  generation: uint32,
  /**
   * Bytes of the part, which stand right before this record, and their CRC-32. It tells bytes that the disk lost or changed
   * (a torn write, a bad sector), not bytes that somebody changed on purpose.
   */
  bytes: uint32,
  crc: uint32,
})

const record = z.discriminatedUnion('type', [fileRecord, partRecord])

export type FileRecord = z.infer<typeof fileRecord>
export type PartRecord = z.infer<typeof partRecord>

/** The bytes of a record, without what its container puts around it. */
export function encodeRecord(content: FileRecord | PartRecord): Uint8Array[] {
  return [mark, new TextEncoder().encode(JSON.stringify(content))]
}

/** Reads the bytes of a record; undefined where they are none, or damaged. Never throws. */
export function decodeRecord(bytes: Uint8Array): FileRecord | PartRecord | undefined {
  if (bytes.byteLength < mark.byteLength || bytes.byteLength > maxRecordBytes) return undefined
  if (!mark.every((byte, index) => bytes[index] === byte)) return undefined
  let json: unknown
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(mark.byteLength)))
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) return undefined
    throw error
  }
  return record.safeParse(json).data
}

/** A record and where it stands, with what its container puts around it. */
export interface PlacedRecord {
  record: FileRecord | PartRecord
  /** First byte. */
  start: number
  /** First byte after it. */
  end: number
}
