import { z } from 'zod'
import { cameraId, runId } from '../../ids.ts'
import { type BoxPlace, box, boxAt } from './boxes.ts'

/**
 * Our own boxes in a recording (`uuid`, ISO/IEC 14496-12 §4.2.3), which players pass over: with them the index of
 * recordings can be made again from the files alone. One stands after the init segment and says whose file it is; one
 * stands after each fragment, so that a fragment without it was not written to its end.
 */
const uuid = Uint8Array.from([
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
  run: runId,
  firstFrame: uint32,
  lastFrame: uint32,
  keyframe: z.boolean(),
  startMs: time,
  endMs: time,
  /** Capture times that its sound covers. */
  audio: z.array(z.tuple([time, time])).max(1024),
  generation: uint32,
  /** Bytes of `moof` and `mdat`, which stand right before this box, and their CRC-32. */
  bytes: uint32,
  crc: uint32,
})

const record = z.discriminatedUnion('type', [fileRecord, partRecord])

export type FileRecord = z.infer<typeof fileRecord>
export type PartRecord = z.infer<typeof partRecord>

export function writeRecord(content: FileRecord | PartRecord): Uint8Array {
  return box('uuid', uuid, new TextEncoder().encode(JSON.stringify(content)))
}

/** Reads the record whose box is at `place`; undefined where it is another box, or damaged. Never throws. */
export function readRecord(bytes: Uint8Array, place: BoxPlace): FileRecord | PartRecord | undefined {
  const { type, body, end } = place
  if (type !== 'uuid' || end - body < 16 || end - body > maxRecordBytes) return undefined
  if (!uuid.every((byte, index) => bytes[body + index] === byte)) return undefined
  let json: unknown
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(body + 16, end)))
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) return undefined
    throw error
  }
  return record.safeParse(json).data
}

/** Reads the record that begins at `at`. */
export function recordAt(bytes: Uint8Array, at: number): FileRecord | PartRecord | undefined {
  const place = boxAt(bytes, at)
  return place && readRecord(bytes, place)
}
