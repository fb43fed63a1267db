const startCode = Uint8Array.of(0, 0, 0, 1)

/**
 * Splits an Annex B byte stream at its start codes (ITU-T H.264 B.1). Trailing zero bytes of a NAL unit are taken off.
 * Bytes ahead of the first start code come out as a NAL unit of their own (some packets hold `NAL 00 00 01 NAL`).
 */
export function splitAnnexB(bytes: Uint8Array): Uint8Array[] {
  const units: Uint8Array[] = []
  const length = bytes.length
  let start = 0
  let at = 0
  while (at + 2 < length) {
    const third = bytes[at + 2]!
    if (third > 1) at += 3
    else if (third === 1 && bytes[at] === 0 && bytes[at + 1] === 0) {
      pushTrimmed(units, bytes, start, at)
      start = at + 3
      at = start
    } else at += 1
  }
  pushTrimmed(units, bytes, start, length)
  return units
}

function pushTrimmed(units: Uint8Array[], bytes: Uint8Array, start: number, end: number): void {
  let last = end
  while (last > start && bytes[last - 1] === 0) last -= 1
  if (last > start) units.push(bytes.subarray(start, last))
}

/** Joins NAL units with 4-byte start codes. */
export function joinAnnexB(units: readonly Uint8Array[]): Uint8Array {
  let size = 0
  for (const unit of units) size += 4 + unit.length
  const bytes = new Uint8Array(size)
  let at = 0
  for (const unit of units) {
    bytes.set(startCode, at)
    bytes.set(unit, at + 4)
    at += 4 + unit.length
  }
  return bytes
}
