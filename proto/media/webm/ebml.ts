/** Elements of EBML (RFC 8794), written and walked; the names are those of Matroska (RFC 9559) that we use. */

export const id = {
  ebml: 0x1a45dfa3,
  docType: 0x4282,
  docTypeVersion: 0x4287,
  docTypeReadVersion: 0x4285,
  void: 0xec,
  segment: 0x18538067,
  info: 0x1549a966,
  timestampScale: 0x2ad7b1,
  duration: 0x4489,
  muxingApp: 0x4d80,
  writingApp: 0x5741,
  tracks: 0x1654ae6b,
  trackEntry: 0xae,
  trackNumber: 0xd7,
  trackUid: 0x73c5,
  trackType: 0x83,
  flagLacing: 0x9c,
  language: 0x22b59c,
  codecId: 0x86,
  codecPrivate: 0x63a2,
  seekPreRoll: 0x56bb,
  video: 0xe0,
  pixelWidth: 0xb0,
  pixelHeight: 0xba,
  audio: 0xe1,
  samplingFrequency: 0xb5,
  channels: 0x9f,
  cues: 0x1c53bb6b,
  cuePoint: 0xbb,
  cueTime: 0xb3,
  cueTrackPositions: 0xb7,
  cueTrack: 0xf7,
  cueClusterPosition: 0xf1,
  cluster: 0x1f43b675,
  timestamp: 0xe7,
  simpleBlock: 0xa3,
} as const

/** Ticks of 1 ms, in ns: the value of `TimestampScale`. */
export const millisecond = 1_000_000

/** Bytes of a size that is written with all its eight, so that it can be changed where it stands. */
const longSizeBytes = 8

/** An element in pieces, header first: they are joined once, at the top. */
export function element(elementId: number, content: readonly Uint8Array[]): Uint8Array[] {
  return [header(elementId, sizeOf(content)), ...content]
}

export function sizeOf(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((sum, piece) => sum + piece.byteLength, 0)
}

/** Id and size of an element (RFC 8794 §5, §6): the shortest size that holds it. */
function header(elementId: number, size: number): Uint8Array {
  let length = 1
  // all ones is the size that is not known
  while (size >= 2 ** (7 * length) - 1) length += 1
  return Uint8Array.from([...uint(elementId), ...vint(size, length)])
}

function vint(value: number, length: number): number[] {
  const bytes = bytesOf(value, length)
  bytes[0] = bytes[0]! | (0x80 >> (length - 1))
  return bytes
}

/** Id and size of an element whose size may be changed later. @param size bytes; undefined: it ends where the file does */
export function longHeader(elementId: number, size?: number): Uint8Array {
  const unknown = [0x01, ...Array.from({ length: longSizeBytes - 1 }, () => 0xff)]
  return Uint8Array.from([...uint(elementId), ...(size === undefined ? unknown : vint(size, longSizeBytes))])
}

/** Big endian. */
function bytesOf(value: number, length: number): number[] {
  const bytes: number[] = []
  for (let rest = value; bytes.length < length; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256)
  return bytes
}

/** An unsigned integer without leading zeros, at least one byte; ids are written like one. */
export function uint(value: number): Uint8Array {
  let length = 1
  while (value >= 2 ** (8 * length)) length += 1
  return Uint8Array.from(bytesOf(value, length))
}

/** An unsigned integer of eight bytes: it can be changed where it stands. Up to 2^53. */
export const uint64 = (value: number): Uint8Array => Uint8Array.from(bytesOf(value, 8))

export function float64(value: number): Uint8Array {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setFloat64(0, value)
  return bytes
}

export interface ElementPlace {
  id: number
  /** First byte of the header. */
  start: number
  /** First byte after the header. */
  body: number
  /** First byte after the element; of one whose size is not known, the end of what is around it. */
  end: number
}

/**
 * Reads the header of the element at `at`. Never throws.
 * @param limit where the element around it ends
 * @returns undefined where there is no whole element any more: cut off, or not an element at all
 */
export function elementAt(bytes: Uint8Array, at: number, limit = bytes.byteLength): ElementPlace | undefined {
  const idBytes = vintLength(bytes, at, limit)
  if (idBytes === undefined || idBytes > 4) return undefined
  const sizeBytes = vintLength(bytes, at + idBytes, limit)
  if (sizeBytes === undefined) return undefined
  const body = at + idBytes + sizeBytes
  const mask = 0xff >> sizeBytes
  const first = bytes[at + idBytes]! & mask
  const rest = bytes.subarray(at + idBytes + 1, body)
  const unknown = first === mask && rest.every((byte) => byte === 0xff)
  const end = unknown ? limit : body + readUint([first, ...rest])
  if (end > limit) return undefined
  return { id: readUint(bytes.subarray(at, at + idBytes)), start: at, body, end }
}

function vintLength(bytes: Uint8Array, at: number, limit: number): number | undefined {
  const first = at < limit ? bytes[at]! : 0
  const length = Math.clz32(first) - 23
  return first === 0 || at + length > limit ? undefined : length
}

/** Not exact above 2^53, which no file of ours reaches. */
export function readUint(bytes: Iterable<number>): number {
  let value = 0
  for (const byte of bytes) value = value * 256 + byte
  return value
}

/** The whole elements from `start`; stops at the first that is cut off. */
export function* walk(bytes: Uint8Array, start: number, limit: number): Generator<ElementPlace, void, undefined> {
  for (let at = start; ; ) {
    const place = elementAt(bytes, at, limit)
    if (place === undefined) return
    yield place
    at = place.end
  }
}

/** The first element with that id among the children of `parent`. */
export function child(bytes: Uint8Array, elementId: number, parent: ElementPlace): ElementPlace | undefined {
  for (const place of walk(bytes, parent.body, parent.end)) if (place.id === elementId) return place
  return undefined
}

/** The content of the first such child; undefined where there is none. */
export function content(bytes: Uint8Array, elementId: number, parent: ElementPlace): Uint8Array | undefined {
  const place = child(bytes, elementId, parent)
  return place && bytes.subarray(place.body, place.end)
}
