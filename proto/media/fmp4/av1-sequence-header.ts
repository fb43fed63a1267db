import { readLeb128 } from '../av1.ts'
import { BitReader } from '../bit-reader.ts'

/** What `av1C` must know of a sequence header. */
export interface SequenceHeader {
  profile: number
  level: number
  tier: number
  highDepth: number
  twelveBit: number
  mono: number
  subX: number
  subY: number
  width: number
  height: number
}

/** Reads a sequence_header_obu (AV1 §5.5); undefined where it is cut short, or of a still picture (reduced header). */
export function parseSequenceHeader(obu: Uint8Array): SequenceHeader | undefined {
  const headBytes = obu[0]! & 0x04 ? 2 : 1
  const start = obu[0]! & 0x02 ? readLeb128(obu, headBytes)?.next : headBytes
  if (start === undefined) return undefined
  const reader = new BitReader(obu, start, false)
  const profile = reader.bits(3)
  reader.skip(1) // still_picture
  if (reader.flag()) return undefined // reduced_still_picture_header
  const { level, tier } = operatingPoints(reader)
  const widthBits = reader.bits(4) + 1
  const heightBits = reader.bits(4) + 1
  const width = reader.bits(widthBits) + 1
  const height = reader.bits(heightBits) + 1
  skipTools(reader)
  const parsed = { profile, level, tier, width, height, ...colour(reader, profile) }
  return reader.exhausted ? undefined : parsed
}

/** Level and tier of the first operating point. */
function operatingPoints(reader: BitReader): { level: number; tier: number } {
  let decoderModelBits = 0
  if (reader.flag()) {
    reader.skip(64) // timing_info
    if (reader.flag()) reader.ue()
    if (reader.flag()) {
      decoderModelBits = reader.bits(5) + 1
      reader.skip(32 + 5 + 5)
    }
  }
  const initialDelay = reader.flag()
  const points = reader.bits(5) + 1
  let first = { level: 0, tier: 0 }
  for (let point = 0; point < points; point += 1) {
    reader.skip(12)
    const level = reader.bits(5)
    const tier = level > 7 ? reader.bit() : 0
    if (point === 0) first = { level, tier }
    if (decoderModelBits > 0 && reader.flag()) reader.skip(2 * decoderModelBits + 1)
    if (initialDelay && reader.flag()) reader.skip(4)
  }
  return first
}

/** From frame_id_numbers_present_flag to film_grain's color_config (AV1 §5.5.1). */
function skipTools(reader: BitReader): void {
  if (reader.flag()) reader.skip(7)
  reader.skip(3) // superblock, filter intra, intra edge
  reader.skip(4) // interintra, masked, warped, dual filter
  const orderHint = reader.flag()
  if (orderHint) reader.skip(2)
  const screen = reader.flag() ? 2 : reader.bit()
  if (screen > 0 && !reader.flag()) reader.skip(1)
  if (orderHint) reader.skip(3)
  reader.skip(3) // superres, cdef, restoration
}

function colour(reader: BitReader, profile: number) {
  const highDepth = reader.bit()
  const twelveBit = profile === 2 && highDepth ? reader.bit() : 0
  const mono = profile === 1 ? 0 : reader.bit()
  if (reader.flag()) reader.skip(24)
  if (mono) return { highDepth, twelveBit, mono, subX: 1, subY: 1 }
  reader.skip(1)
  if (profile === 0) return { highDepth, twelveBit, mono, subX: 1, subY: 1 }
  if (profile === 1) return { highDepth, twelveBit, mono, subX: 0, subY: 0 }
  if (!twelveBit) return { highDepth, twelveBit, mono, subX: 1, subY: 0 }
  const subX = reader.bit()
  return { highDepth, twelveBit, mono, subX, subY: subX ? reader.bit() : 0 }
}
