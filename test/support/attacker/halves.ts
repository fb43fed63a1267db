import { contentTypes, parseRecords, writeRecord } from '../../../device/webrtc/werift/dtls-records.ts'

/**
 * Cuts the handshake messages in the clear of a datagram in two, each half in a datagram of its own, as Chromium's 1413 bytes
 * of ClientHello come. All records are numbered anew, so that none seems to come twice: every datagram has to pass here.
 * @param cuts which messages, by their type; default: all
 * @param overlap bytes of the second half that the first has too
 */
export function halves(
  datagram: Buffer,
  { cuts = () => true, overlap = 0 }: { cuts?: (type: number) => boolean; overlap?: number } = {},
): Buffer[] {
  const records = parseRecords(datagram)
  if (records.length === 0 || records.some(({ epoch }) => epoch > 0)) return [datagram]
  return records.flatMap(({ type, sequence, fragment }) => {
    const number = (piece: Buffer, index: number) => writeRecord(type, 0, sequence * 2 + index, piece)
    if (type !== contentTypes.handshake || !cuts(fragment[0]!)) return [number(fragment, 0)]
    const body = fragment.subarray(12)
    const middle = Math.floor(body.length / 2)
    const piece = (from: number, to: number) => {
      const head = Buffer.from(fragment.subarray(0, 12))
      head.writeUIntBE(from, 6, 3)
      head.writeUIntBE(to - from, 9, 3)
      return Buffer.concat([head, body.subarray(from, to)])
    }
    return [piece(0, middle + overlap), piece(middle, body.length)].map(number)
  })
}
