import { decodeRecord, encodeRecord, type FileRecord, type PartRecord, type PlacedRecord } from '../recording-record.ts'
import { type BoxPlace, box, walk } from './boxes.ts'

/** A record of ours as a box of its own (`uuid`, ISO/IEC 14496-12 §4.2.3): the mark that it begins with is the UUID. */
export function writeRecord(content: FileRecord | PartRecord): Uint8Array {
  return box('uuid', ...encodeRecord(content))
}

/** Reads the record whose box is at `place`; undefined where it is another box, or damaged. Never throws. */
export function readRecord(bytes: Uint8Array, { type, body, end }: BoxPlace): FileRecord | PartRecord | undefined {
  return type === 'uuid' ? decodeRecord(bytes.subarray(body, end)) : undefined
}

/** The records of a file, up to where it was cut off. */
export function* recordsOf(bytes: Uint8Array): Generator<PlacedRecord, void, undefined> {
  for (const place of walk(bytes)) {
    const record = readRecord(bytes, place)
    if (record) yield { record, start: place.start, end: place.end }
  }
}
