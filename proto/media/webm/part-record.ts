import { concatBytes } from '../bytes.ts'
import { decodeRecord, encodeRecord, type FileRecord, type PartRecord, type PlacedRecord } from '../recording-record.ts'
import { element, id, walk } from './ebml.ts'
import { segmentOf } from './header.ts'

/** A record of ours as a `Void` element (RFC 8794 §11.3.2), which players pass over. */
export function writeRecord(content: FileRecord | PartRecord): Uint8Array {
  return concatBytes(element(id.void, encodeRecord(content)))
}

/** The records of a file, up to where it was cut off. Never throws. */
export function* recordsOf(bytes: Uint8Array): Generator<PlacedRecord, void, undefined> {
  const segment = segmentOf(bytes)
  if (segment === undefined) return
  for (const { id: kind, start, body, end } of walk(bytes, segment.body, segment.end)) {
    const record = kind === id.void ? decodeRecord(bytes.subarray(body, end)) : undefined
    if (record) yield { record, start, end }
  }
}
