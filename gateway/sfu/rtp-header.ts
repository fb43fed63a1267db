import { mostPadding, writeUint32 } from '@porchlight/proto/media/rtp.ts'

/** Writes the fixed header (RFC 3550 §5.1) into the first 12 bytes. @param timestamp uint32 */
export function writeHeader(
  bytes: Uint8Array,
  payloadType: number,
  marker: boolean,
  sequence: number,
  timestamp: number,
  ssrc: number,
): void {
  bytes[0] = 0x80
  bytes[1] = marker ? payloadType | 0x80 : payloadType
  bytes[2] = sequence >> 8
  bytes[3] = sequence
  writeUint32(bytes, 4, timestamp)
  writeUint32(bytes, 8, ssrc)
}

/** Writes the 8 bytes after it: one extension in the one-byte form (RFC 8285 §4.2), the transport-wide number. */
export function writeTransportSequence(bytes: Uint8Array, id: number, sequence: number): void {
  bytes[0] = 0x90
  bytes[12] = 0xbe
  bytes[13] = 0xde
  bytes[14] = 0
  bytes[15] = 1
  bytes[16] = (id << 4) | 1
  bytes[17] = sequence >> 8
  bytes[18] = sequence
  bytes[19] = 0
}

/** Room for a header, then the original number and payload of what is sent again (RFC 4588 §4). */
export function rtxBytes(payload: Uint8Array, sequence: number, headerBytes: number): Buffer {
  const bytes = Buffer.allocUnsafe(headerBytes + 2 + payload.length)
  bytes.writeUInt16BE(sequence, headerBytes)
  bytes.set(payload, headerBytes + 2)
  return bytes
}

/** Room for a header, then nothing but padding; the header is to be marked as padded when it is written. */
export function paddingBytes(headerBytes: number): Buffer {
  const bytes = Buffer.alloc(headerBytes + mostPadding)
  bytes[bytes.length - 1] = mostPadding
  return bytes
}
