import type { AccessUnit } from '../access-unit.ts'
import { av1Obu, obuType, splitObus, withSize } from '../av1.ts'
import { BitReader } from '../bit-reader.ts'
import { concatBytes } from '../bytes.ts'
import { h264Nal, parseSps as parseH264Sps, nalType as typeOfH264 } from '../h264.ts'
import { type H265Sps, h265Nal, parseSps as parseH265Sps, nalType as typeOfH265 } from '../h265.ts'
import { parseVp9Frame } from '../vp9.ts'
import { parseSequenceHeader } from './av1-sequence-header.ts'
import { box, u8, u16, u32, zeros } from './boxes.ts'

/** What an init segment must know of a video stream; taken from a keyframe. */
export interface VideoEntry {
  width: number
  height: number
  /** The sample entry of `stsd`, with the codec's configuration in it. */
  entry: Uint8Array
}

/**
 * Makes the sample entry for the stream that this keyframe begins.
 * @returns undefined where the keyframe lacks what is needed (no parameter sets), and for VP8, which MP4 has no place for
 */
export function videoEntry(keyframe: AccessUnit): VideoEntry | undefined {
  switch (keyframe.codec) {
    case 'h264':
      return h264Entry(keyframe.data)
    case 'h265':
      return h265Entry(keyframe.data)
    case 'vp9':
      return vp9Entry(concatBytes(keyframe.data))
    case 'av1':
      return av1Entry(concatBytes(keyframe.data))
    case 'vp8':
      return undefined
  }
}

/** VisualSampleEntry (ISO/IEC 14496-12 §12.1.3). */
function visualEntry(type: string, width: number, height: number, configuration: Uint8Array): VideoEntry {
  const entry = box(
    type,
    zeros(6),
    u16(1), // data_reference_index
    zeros(16),
    u16(width),
    u16(height),
    u32(0x480000), // 72 dpi
    u32(0x480000),
    u32(0),
    u16(1), // frame_count
    zeros(32),
    u16(24),
    u16(0xffff),
    configuration,
  )
  return { width, height, entry }
}

const withLength = (nal: Uint8Array): Uint8Array[] => [Uint8Array.from(u16(nal.length)), nal]

/** AVCDecoderConfigurationRecord (ISO/IEC 14496-15 §5.3.3.1); the parameter sets stay in the samples as well. */
function h264Entry(nals: readonly Uint8Array[]): VideoEntry | undefined {
  const spsNals = nals.filter((nal) => typeOfH264(nal) === h264Nal.sps)
  const ppsNals = nals.filter((nal) => typeOfH264(nal) === h264Nal.pps)
  const first = spsNals[0]
  const sps = first && parseH264Sps(first)
  if (first === undefined || sps === undefined || ppsNals.length === 0) return undefined
  const high = [100, 110, 122, 144].includes(first[1]!)
  const chroma = chromaOfH264(first)
  const configuration = box(
    'avcC',
    u8(1, first[1]!, first[2]!, first[3]!, 0xff, 0xe0 | Math.min(spsNals.length, 31)),
    ...spsNals.slice(0, 31).flatMap(withLength),
    u8(Math.min(ppsNals.length, 255)),
    ...ppsNals.slice(0, 255).flatMap(withLength),
    high ? u8(0xfc | chroma.format, 0xf8 | (chroma.lumaDepth - 8), 0xf8 | (chroma.chromaDepth - 8), 0) : [],
  )
  return visualEntry('avc1', sps.width, sps.height, configuration)
}

/** chroma_format_idc and bit depths of a High profile SPS (H.264 §7.3.2.1.1). */
function chromaOfH264(sps: Uint8Array): { format: number; lumaDepth: number; chromaDepth: number } {
  const reader = new BitReader(sps, 4)
  reader.ue() // seq_parameter_set_id
  const format = reader.ue() & 3
  if (format === 3) reader.skip(1)
  return { format, lumaDepth: 8 + (reader.ue() & 7), chromaDepth: 8 + (reader.ue() & 7) }
}

/** HEVCDecoderConfigurationRecord (ISO/IEC 14496-15 §8.3.3.1). */
function h265Entry(nals: readonly Uint8Array[]): VideoEntry | undefined {
  const arrays = [h265Nal.vps, h265Nal.sps, h265Nal.pps].map((type) => ({
    type,
    nals: nals.filter((nal) => typeOfH265(nal) === type),
  }))
  if (arrays.some((array) => array.nals.length === 0)) return undefined
  const sps = parseH265Sps(arrays[1]!.nals[0]!)
  if (sps === undefined) return undefined
  const configuration = box(
    'hvcC',
    u8(1),
    profileBytes(sps),
    u16(0xf000), // min_spatial_segmentation_idc: unknown
    u8(0xfc), // parallelismType: unknown
    u8(0xfc | sps.chroma, 0xf8 | (sps.bitDepthLuma - 8), 0xf8 | (sps.bitDepthChroma - 8)),
    u16(0), // avgFrameRate: unknown
    u8(((sps.temporalLayers & 7) << 3) | (sps.temporalIdNested ? 4 : 0) | 3),
    u8(arrays.length),
    ...arrays.flatMap((array) => [
      Uint8Array.from([0x80 | array.type, ...u16(array.nals.length)]),
      ...array.nals.flatMap(withLength),
    ]),
  )
  return visualEntry('hvc1', sps.width, sps.height, configuration)
}

function profileBytes(sps: H265Sps): Uint8Array {
  const first = (sps.profileSpace << 6) | (sps.tier << 5) | sps.profile
  return Uint8Array.from([first, ...u32(sps.compatibility), ...sps.constraints, sps.level])
}

/** VPCodecConfigurationRecord (webmproject.org/vp9/mp4). */
function vp9Entry(frame: Uint8Array): VideoEntry | undefined {
  const head = parseVp9Frame(frame)
  if (head?.width === undefined || head.height === undefined) return undefined
  const depth = head.bitDepth ?? 8
  // 4:2:0 with samples beside each other; profiles 1 and 3 are the others, of which 4:4:4 is what occurs
  const chroma = head.profile === 1 || head.profile === 3 ? 3 : 1
  const level = head.width * head.height > 2_228_224 ? 50 : 40
  const configuration = box(
    'vpcC',
    u8(1, 0, 0, 0, head.profile, level, (depth << 4) | (chroma << 1), 2, 2, 2),
    u16(0), // no codec initialization data
  )
  return visualEntry('vp09', head.width, head.height, configuration)
}

/** AV1CodecConfigurationRecord (aomediacodec.github.io/av1-isobmff §2.3). */
function av1Entry(temporalUnit: Uint8Array): VideoEntry | undefined {
  const header = splitObus(temporalUnit).find((obu) => obuType(obu) === av1Obu.sequenceHeader)
  if (header === undefined) return undefined
  const sequence = parseSequenceHeader(header)
  if (sequence === undefined) return undefined
  const { profile, level, tier, highDepth, twelveBit, mono, subX, subY } = sequence
  const configuration = box(
    'av1C',
    u8(0x81, (profile << 5) | level),
    u8((tier << 7) | (highDepth << 6) | (twelveBit << 5) | (mono << 4) | (subX << 3) | (subY << 2)),
    u8(0),
    withSize(header),
  )
  return visualEntry('av01', sequence.width, sequence.height, configuration)
}

/** The bytes of a sample: length-prefixed NAL units, or the frame; AV1 without temporal delimiters. */
export function sampleData(unit: AccessUnit): Uint8Array[] {
  if (unit.codec === 'h264' || unit.codec === 'h265')
    return unit.data.flatMap((nal) => [Uint8Array.from(u32(nal.length)), nal])
  if (unit.codec !== 'av1') return unit.data
  return splitObus(concatBytes(unit.data)).filter((obu) => obuType(obu) !== av1Obu.temporalDelimiter)
}
