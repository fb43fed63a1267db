/** RFC 5246 §6.2.1. */
export const contentTypes = { changeCipherSpec: 20, alert: 21, handshake: 22, applicationData: 23 } as const
/** RFC 5246 §7.4. */
export const handshakeTypes = {
  clientHello: 1,
  helloVerifyRequest: 3,
  certificate: 11,
  certificateVerify: 15,
  clientKeyExchange: 16,
  finished: 20,
} as const

/** One record of DTLS 1.2 (RFC 6347 §4.1). */
export interface DtlsRecord {
  type: number
  epoch: number
  /** uint48 */
  sequence: number
  fragment: Buffer
  /** The whole record. */
  bytes: Buffer
}

/** One handshake message, or a piece of it (RFC 6347 §4.2.2). */
export interface HandshakeFragment {
  type: number
  /** Of the whole message, bytes. */
  length: number
  /** message_seq */
  number: number
  offset: number
  body: Buffer
}

const recordHead = 13
const handshakeHead = 12
/** Records in one datagram that are looked at: a flight has six. */
const maxRecords = 16

/** The records of a datagram, up to the first that is malformed. */
export function parseRecords(datagram: Buffer): DtlsRecord[] {
  const records: DtlsRecord[] = []
  for (let at = 0; at + recordHead <= datagram.length && records.length < maxRecords; ) {
    const end = at + recordHead + datagram.readUInt16BE(at + 11)
    const version = datagram.readUInt16BE(at + 1)
    // DTLS 1.2, and 1.0 in the first flight's head.
    if (end > datagram.length || (version !== 0xfefd && version !== 0xfeff)) break
    records.push({
      type: datagram[at]!,
      epoch: datagram.readUInt16BE(at + 3),
      sequence: datagram.readUIntBE(at + 5, 6),
      fragment: datagram.subarray(at + recordHead, end),
      bytes: datagram.subarray(at, end),
    })
    at = end
  }
  return records
}

/** The handshake fragments in a record; undefined where it is malformed. */
export function parseHandshake(bytes: Buffer): HandshakeFragment[] | undefined {
  const fragments: HandshakeFragment[] = []
  for (let at = 0; at < bytes.length; ) {
    if (at + handshakeHead > bytes.length) return undefined
    const length = bytes.readUIntBE(at + 1, 3)
    const offset = bytes.readUIntBE(at + 6, 3)
    const end = at + handshakeHead + bytes.readUIntBE(at + 9, 3)
    const body = bytes.subarray(at + handshakeHead, end)
    if (end > bytes.length || offset + body.length > length) return undefined
    fragments.push({ type: bytes[at]!, length, number: bytes.readUInt16BE(at + 4), offset, body })
    at = end
  }
  return fragments
}

/** A record in the clear that holds one whole handshake message. @param sequence of the record, uint48 */
export function handshakeRecord(type: number, number: number, body: Buffer, sequence = 0): Buffer {
  const head = Buffer.alloc(handshakeHead)
  head[0] = type
  head.writeUIntBE(body.length, 1, 3)
  head.writeUInt16BE(number, 4)
  head.writeUIntBE(body.length, 9, 3)
  return writeRecord(contentTypes.handshake, 0, sequence, Buffer.concat([head, body]))
}

export function writeRecord(type: number, epoch: number, sequence: number, fragment: Buffer): Buffer {
  const head = Buffer.alloc(recordHead)
  head[0] = type
  head.writeUInt16BE(0xfefd, 1)
  head.writeUInt16BE(epoch, 3)
  head.writeUIntBE(sequence, 5, 6)
  head.writeUInt16BE(fragment.length, 11)
  return Buffer.concat([head, fragment])
}
