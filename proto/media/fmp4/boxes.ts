/** Boxes of the ISO base media file format (ISO/IEC 14496-12 §4.2), written and walked. */

export type BoxContent = number[] | Uint8Array

const encoder = new TextEncoder()

export const ascii = (text: string): Uint8Array => encoder.encode(text)
export const u8 = (...values: number[]): number[] => values
export const u16 = (value: number): number[] => [(value >>> 8) & 0xff, value & 0xff]
export const u24 = (value: number): number[] => [(value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff]
export const u32 = (value: number): number[] => [
  (value >>> 24) & 0xff,
  (value >>> 16) & 0xff,
  (value >>> 8) & 0xff,
  value & 0xff,
]
/** Up to 2^53. */
export const u64 = (value: number): number[] => [...u32(Math.floor(value / 2 ** 32)), ...u32(value % 2 ** 32)]
export const zeros = (count: number): Uint8Array => new Uint8Array(count)

/** One box of the 32-bit form. */
export function box(type: string, ...content: BoxContent[]): Uint8Array {
  const size = content.reduce((sum, piece) => sum + piece.length, 8)
  const bytes = new Uint8Array(size)
  bytes.set(u32(size))
  bytes.set(ascii(type), 4)
  let at = 8
  for (const piece of content) {
    bytes.set(piece, at)
    at += piece.length
  }
  return bytes
}

/** A box with version and flags. */
export function fullBox(type: string, version: number, flags: number, ...content: BoxContent[]): Uint8Array {
  return box(type, u8(version), u24(flags), ...content)
}

export interface BoxPlace {
  type: string
  /** First byte of the header. */
  start: number
  /** First byte after the header. */
  body: number
  /** First byte after the box. */
  end: number
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/**
 * Reads the header of the box at `at`.
 * @param limit where the surrounding box ends
 * @returns undefined where there is no whole box any more: cut off, or not a box at all
 */
export function boxAt(bytes: Uint8Array, at: number, limit = bytes.byteLength): BoxPlace | undefined {
  if (at + 8 > limit) return undefined
  const view = viewOf(bytes)
  let size = view.getUint32(at)
  let body = at + 8
  if (size === 1) {
    if (at + 16 > limit || view.getUint32(at + 8) > 0x1fffff) return undefined
    size = view.getUint32(at + 8) * 2 ** 32 + view.getUint32(at + 12)
    body = at + 16
  }
  if (size < body - at || at + size > limit) return undefined
  const type = String.fromCharCode(bytes[at + 4]!, bytes[at + 5]!, bytes[at + 6]!, bytes[at + 7]!)
  return { type, start: at, body, end: at + size }
}

/** The whole boxes from `start`; stops at the first that is cut off. */
export function* walk(bytes: Uint8Array, start = 0, limit = bytes.byteLength): Generator<BoxPlace, void, undefined> {
  let at = start
  for (;;) {
    const place = boxAt(bytes, at, limit)
    if (place === undefined) return
    yield place
    at = place.end
  }
}

/** The first box of that type among the children of `parent`, or at the top. */
export function child(bytes: Uint8Array, type: string, parent?: BoxPlace): BoxPlace | undefined {
  for (const place of walk(bytes, parent?.body, parent?.end)) if (place.type === type) return place
  return undefined
}
