import { BitReader } from './bit-reader.ts'

export { joinAnnexB, splitAnnexB } from './annexb.ts'

/** ITU-T H.264, what must be known of a stream without decoding it. NAL units are without start codes. */
export const h264Nal = {
  slice: 1,
  partitionA: 2,
  idr: 5,
  sei: 6,
  sps: 7,
  pps: 8,
  aud: 9,
  endOfSequence: 10,
  filler: 12,
} as const

/** nal_unit_type (§7.4.1). */
export function nalType(nal: Uint8Array): number {
  return (nal[0] ?? 0) & 0x1f
}

/** Whether other pictures may refer to this one: nal_ref_idc is not 0 (§7.4.1). */
export function isReference(nal: Uint8Array): boolean {
  return ((nal[0] ?? 0) & 0x60) !== 0
}

/** Whether the NAL unit holds slice data (types 1–5). */
export function isSlice(nal: Uint8Array): boolean {
  const type = nalType(nal)
  return type >= 1 && type <= 5
}

/** first_mb_in_slice is 0 exactly where ue(v) begins with a set bit: a new picture begins here (arbitrary slice order aside). */
export function isFirstSlice(nal: Uint8Array): boolean {
  return isSlice(nal) && ((nal[1] ?? 0) & 0x80) !== 0
}

export type SliceType = 'P' | 'B' | 'I' | 'SP' | 'SI'
const sliceTypes: readonly SliceType[] = ['P', 'B', 'I', 'SP', 'SI']

/** slice_type (§7.4.3), undefined where the NAL unit is no slice with a header or is cut short. */
export function sliceType(nal: Uint8Array): SliceType | undefined {
  const type = nalType(nal)
  if (type !== 1 && type !== 2 && type !== 5) return undefined
  const reader = new BitReader(nal, 1)
  reader.ue() // first_mb_in_slice
  if (reader.exhausted) return undefined
  return sliceTypes[reader.ue() % 5]
}

export interface H264Sps {
  profile: number
  /** constraint_set flags byte. */
  compat: number
  level: number
  id: number
  /** After cropping, in pixels. */
  width: number
  height: number
  /** max_num_reorder_frames of the VUI; 0 where the profile forbids B-pictures; undefined where the stream does not say. */
  reorderFrames: number | undefined
  /** pic_order_cnt_type 2 means output order is decoding order (§8.2.1.3). */
  pocType: number
  maxRefFrames: number
  /** From the VUI's timing, where it is there and plausible. */
  framesPerSecond: number | undefined
  frameMbsOnly: boolean
}

/** Profiles whose SPS has the chroma fields (§7.3.2.1.1). */
const highProfiles = new Set([100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135])

/** Parses an SPS; undefined where the NAL unit is none, or is cut short or implausible. */
export function parseSps(nal: Uint8Array): H264Sps | undefined {
  if (nalType(nal) !== h264Nal.sps || nal.length < 5) return undefined
  const reader = new BitReader(nal, 4)
  const profile = nal[1]!
  const compat = nal[2]!
  const id = reader.ue()
  let chroma = 1
  if (highProfiles.has(profile)) {
    chroma = reader.ue()
    if (chroma === 3) reader.skip(1) // separate_colour_plane_flag
    reader.ue() // bit_depth_luma_minus8
    reader.ue() // bit_depth_chroma_minus8
    reader.skip(1) // qpprime_y_zero_transform_bypass_flag
    const scalingMatrix = reader.flag()
    if (scalingMatrix) skipScalingMatrix(reader, chroma === 3 ? 12 : 8)
  }
  reader.ue() // log2_max_frame_num_minus4
  const pocType = reader.ue()
  if (pocType === 0) reader.ue()
  else if (pocType === 1) {
    reader.skip(1)
    reader.se()
    reader.se()
    const cycle = reader.ue()
    if (cycle > 255) return undefined
    for (let index = 0; index < cycle; index += 1) reader.se()
  } else if (pocType !== 2) return undefined
  const maxRefFrames = reader.ue()
  reader.skip(1) // gaps_in_frame_num_value_allowed_flag
  const mbWidth = reader.ue() + 1
  const mapHeight = reader.ue() + 1
  const frameMbsOnly = reader.flag()
  if (!frameMbsOnly) reader.skip(1) // mb_adaptive_frame_field_flag
  reader.skip(1) // direct_8x8_inference_flag
  const crop = { left: 0, right: 0, top: 0, bottom: 0 }
  if (reader.flag()) {
    crop.left = reader.ue()
    crop.right = reader.ue()
    crop.top = reader.ue()
    crop.bottom = reader.ue()
  }
  if (reader.exhausted) return undefined
  const cropX = chroma === 1 || chroma === 2 ? 2 : 1
  const cropY = (chroma === 1 ? 2 : 1) * (frameMbsOnly ? 1 : 2)
  const width = mbWidth * 16 - cropX * (crop.left + crop.right)
  const height = mapHeight * 16 * (frameMbsOnly ? 1 : 2) - cropY * (crop.top + crop.bottom)
  if (width <= 0 || height <= 0 || width > 16384 || height > 16384) return undefined
  const vui = reader.flag() ? parseVui(reader) : {}
  // Baseline has no B-slices (A.2.1); intra profiles with constraint_set3 have no reordering (E.2.1)
  const intraOnly =
    (compat & 0x10) !== 0 &&
    (profile === 44 || profile === 100 || profile === 110 || profile === 122 || profile === 244)
  const orderFixed = profile === 66 || intraOnly || pocType === 2
  return {
    profile,
    compat,
    level: nal[3]!,
    id,
    width,
    height,
    reorderFrames: vui.reorderFrames ?? (orderFixed ? 0 : undefined),
    pocType,
    maxRefFrames,
    framesPerSecond: vui.framesPerSecond,
    frameMbsOnly,
  }
}

function skipScalingMatrix(reader: BitReader, lists: number): void {
  for (let list = 0; list < lists; list += 1) {
    const present = reader.flag()
    if (present) skipScalingList(reader, list < 6 ? 16 : 64)
  }
}

function skipScalingList(reader: BitReader, size: number): void {
  let last = 8
  let next = 8
  for (let index = 0; index < size; index += 1) {
    if (next !== 0) next = (last + reader.se() + 256) % 256
    last = next === 0 ? last : next
  }
}

/** Annex E.1.1. What lies past the end of a cut VUI is not believed. */
function parseVui(reader: BitReader): { framesPerSecond?: number; reorderFrames?: number } {
  let framesPerSecond: number | undefined
  if (reader.flag() && reader.bits(8) === 255) reader.skip(32) // aspect_ratio
  if (reader.flag()) reader.skip(1) // overscan
  if (reader.flag()) {
    reader.skip(4)
    if (reader.flag()) reader.skip(24) // colour_description
  }
  if (reader.flag()) {
    reader.ue()
    reader.ue()
  }
  if (reader.flag()) {
    const tick = reader.bits(32)
    const scale = reader.bits(32)
    reader.skip(1)
    const rate = tick > 0 ? scale / (2 * tick) : 0
    if (rate >= 1 && rate <= 240) framesPerSecond = rate
  }
  const nalHrd = reader.flag()
  if (nalHrd) skipHrd(reader)
  const vclHrd = reader.flag()
  if (vclHrd) skipHrd(reader)
  if (nalHrd || vclHrd) reader.skip(1)
  reader.skip(1) // pic_struct_present_flag
  let reorderFrames: number | undefined
  if (reader.flag()) {
    reader.skip(1)
    for (let index = 0; index < 4; index += 1) reader.ue()
    const reorder = reader.ue()
    if (!reader.exhausted && reorder <= 16) reorderFrames = reorder
  }
  return {
    ...(framesPerSecond === undefined ? {} : { framesPerSecond }),
    ...(reorderFrames === undefined ? {} : { reorderFrames }),
  }
}

function skipHrd(reader: BitReader): void {
  const count = Math.min(reader.ue(), 31) + 1
  reader.skip(8)
  for (let index = 0; index < count; index += 1) {
    reader.ue()
    reader.ue()
    reader.skip(1)
  }
  reader.skip(20)
}

/** pic_parameter_set_id and seq_parameter_set_id of a PPS; undefined where the NAL unit is none. */
export function parsePpsIds(nal: Uint8Array): { id: number; sps: number } | undefined {
  if (nalType(nal) !== h264Nal.pps || nal.length < 2) return undefined
  const reader = new BitReader(nal, 1)
  const id = reader.ue()
  const sps = reader.ue()
  return id > 255 || sps > 31 ? undefined : { id, sps }
}

/** As an SPS, or an avcC, has them. */
type ProfileAndLevel = Pick<H264Sps, 'profile' | 'compat' | 'level'>

/** `avc1.42e01f` (RFC 6381 §3.3). */
export function codecString(sps: ProfileAndLevel): string {
  return `avc1.${profileLevelId(sps)}`
}

/** `42e01f`, as in `profile-level-id` (RFC 6184 §8.1). */
export function profileLevelId(sps: ProfileAndLevel): string {
  return [sps.profile, sps.compat, sps.level].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}
