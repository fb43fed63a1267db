import { BitReader } from './bit-reader.ts'

export { joinAnnexB, splitAnnexB } from './annexb.ts'

/** ITU-T H.265, what must be known of a stream without decoding it. NAL units are without start codes. */
export const h265Nal = {
  blaFirst: 16,
  idrWithRadl: 19,
  idr: 20,
  cra: 21,
  irapLast: 23,
  vps: 32,
  sps: 33,
  pps: 34,
  aud: 35,
  seiPrefix: 39,
  seiSuffix: 40,
} as const

/** nal_unit_type (§7.3.1.2). */
export function nalType(nal: Uint8Array): number {
  return ((nal[0] ?? 0) >> 1) & 0x3f
}

/** Whether the NAL unit holds a slice segment (types 0–31). */
export function isSlice(nal: Uint8Array): boolean {
  return nalType(nal) < 32 && nal.length > 2
}

/** first_slice_segment_in_pic_flag: a new picture begins here (§7.4.7.1). */
export function isFirstSlice(nal: Uint8Array): boolean {
  return isSlice(nal) && (nal[2]! & 0x80) !== 0
}

/** Intra random access point: types 16–23 (§7.4.2.2). */
export function isIrap(nal: Uint8Array): boolean {
  const type = nalType(nal)
  return type >= h265Nal.blaFirst && type <= h265Nal.irapLast
}

/**
 * Whether other pictures may refer to this one: sub-layer non-reference pictures have even types below 15 (§7.4.2.2).
 * True for temporal layer 0 only where the type says so, as cameras use one layer.
 */
export function isReference(nal: Uint8Array): boolean {
  const type = nalType(nal)
  return type > 14 || type % 2 === 1
}

/** RASL pictures refer to what came before a CRA and cannot be decoded after joining there (§3). */
export function isRasl(nal: Uint8Array): boolean {
  const type = nalType(nal)
  return type === 8 || type === 9
}

export interface H265Sps {
  profileSpace: number
  tier: number
  profile: number
  /** 32 general_profile_compatibility flags, as they stand in the stream. */
  compatibility: number
  /** 6 constraint bytes. */
  constraints: Uint8Array
  /** general_level_idc: 30 times the level. */
  level: number
  id: number
  /** After the conformance window, in pixels. */
  width: number
  height: number
  /** sps_max_num_reorder_pics of the highest sub-layer. */
  reorderFrames: number
  chroma: number
  bitDepthLuma: number
  bitDepthChroma: number
  temporalLayers: number
  temporalIdNested: boolean
}

/** Parses an SPS (§7.3.2.2); undefined where the NAL unit is none, or is cut short or implausible. */
export function parseSps(nal: Uint8Array): H265Sps | undefined {
  if (nalType(nal) !== h265Nal.sps || nal.length < 15) return undefined
  const reader = new BitReader(nal, 2)
  reader.skip(4) // sps_video_parameter_set_id
  const subLayers = reader.bits(3)
  const temporalIdNested = reader.flag()
  const profileSpace = reader.bits(2)
  const tier = reader.bit()
  const profile = reader.bits(5)
  const compatibility = reader.bits(32)
  const constraints = Uint8Array.from({ length: 6 }, () => reader.bits(8))
  const level = reader.bits(8)
  skipSubLayerProfiles(reader, subLayers)
  const id = reader.ue()
  const chroma = reader.ue()
  if (chroma === 3) reader.skip(1)
  let width = reader.ue()
  let height = reader.ue()
  if (reader.flag()) {
    const unitX = chroma === 1 || chroma === 2 ? 2 : 1
    const unitY = chroma === 1 ? 2 : 1
    width -= unitX * (reader.ue() + reader.ue())
    height -= unitY * (reader.ue() + reader.ue())
  }
  const bitDepthLuma = reader.ue() + 8
  const bitDepthChroma = reader.ue() + 8
  reader.ue() // log2_max_pic_order_cnt_lsb_minus4
  let reorderFrames = 0
  for (let layer = reader.flag() ? 0 : subLayers; layer <= subLayers; layer += 1) {
    reader.ue() // max_dec_pic_buffering_minus1
    reorderFrames = reader.ue()
    reader.ue() // max_latency_increase_plus1
  }
  if (reader.exhausted || chroma > 3 || id > 15 || reorderFrames > 16 || bitDepthLuma > 16 || bitDepthChroma > 16) {
    return undefined
  }
  if (width <= 0 || height <= 0 || width > 16384 || height > 16384) return undefined
  return {
    profileSpace,
    tier,
    profile,
    compatibility,
    constraints,
    level,
    id,
    width,
    height,
    reorderFrames,
    chroma,
    bitDepthLuma,
    bitDepthChroma,
    temporalLayers: subLayers + 1,
    temporalIdNested,
  }
}

/** The part of profile_tier_level that follows general_level_idc (§7.3.3). */
function skipSubLayerProfiles(reader: BitReader, subLayers: number): void {
  const present: [profile: boolean, level: boolean][] = []
  for (let layer = 0; layer < subLayers; layer += 1) present.push([reader.flag(), reader.flag()])
  if (subLayers > 0) reader.skip((8 - subLayers) * 2)
  for (const [profile, level] of present) reader.skip((profile ? 88 : 0) + (level ? 8 : 0))
}

/** As an SPS, or an hvcC, has them. */
type ProfileAndLevel = Pick<H265Sps, 'profileSpace' | 'tier' | 'profile' | 'compatibility' | 'constraints' | 'level'>

/** `hvc1.1.6.L93.B0` (ISO/IEC 14496-15 E.3). */
export function codecString(sps: ProfileAndLevel): string {
  let reversed = 0
  for (let bit = 0; bit < 32; bit += 1) reversed = reversed * 2 + ((sps.compatibility >>> bit) & 1)
  const constraints = [...sps.constraints]
  while (constraints.length > 0 && constraints.at(-1) === 0) constraints.pop()
  const space = ['', 'A', 'B', 'C'][sps.profileSpace]
  const parts = [`${space}${sps.profile}`, reversed.toString(16), `${sps.tier === 1 ? 'H' : 'L'}${sps.level}`]
  return ['hvc1', ...parts, ...constraints.map((byte) => byte.toString(16).toUpperCase())].join('.')
}
