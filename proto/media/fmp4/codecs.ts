import { parseAudioSpecificConfig } from '../aac.ts'
import * as h264 from '../h264.ts'
import * as h265 from '../h265.ts'
import { audioEntryCodecs } from './audio-entry.ts'
import { type BoxPlace, boxAt, child, viewOf } from './boxes.ts'
import { readInit } from './init-segment.ts'

/** Bytes of a VisualSampleEntry ahead of the boxes in it (ISO/IEC 14496-12 §12.1.3). */
const visualEntryBytes = 78
/** The same of an AudioSampleEntry (§12.2.3). */
const audioEntryBytes = 28
/** Version and flags of an `esds`, heads of ES_Descriptor and DecoderConfigDescriptor. */
const esdsHeadBytes = 4 + 5 + 15

/**
 * What a browser is asked whether it plays: the `codecs` parameter (RFC 6381 §3.3) of an init segment of ours, as
 * `avc1.42c01f,opus`.
 * @returns undefined where the bytes are no init segment of ours, or hold a codec that has no such name
 */
export function codecsText(init: Uint8Array): string | undefined {
  const descriptions = readInit(init)?.descriptions
  const names = [...(descriptions?.values() ?? [])].map(codecName)
  return names.length === 0 || names.includes(undefined) ? undefined : names.join(',')
}

/** @param description the `stsd` box of a track */
function codecName(description: Uint8Array): string | undefined {
  const entry = boxAt(description, 16)
  if (entry === undefined) return undefined
  const inner = { ...entry, body: entry.body + visualEntryBytes }
  const configuration = (type: string) => {
    const place = child(description, type, inner)
    return place && description.subarray(place.body, place.end)
  }
  switch (entry.type) {
    case 'avc1':
      return h264Name(configuration('avcC'))
    case 'hvc1':
      return h265Name(configuration('hvcC'))
    case 'vp09':
      return vp9Name(configuration('vpcC'))
    case 'av01':
      return av1Name(configuration('av1C'))
    case 'mp4a':
      return aacName(child(description, 'esds', { ...entry, body: entry.body + audioEntryBytes }), description)
    default:
      return audioEntryCodecs.get(entry.type) === 'opus' ? 'opus' : undefined
  }
}

const two = (value: number) => String(value).padStart(2, '0')

/** RFC 6381 §3.3: `40` is MPEG-4 audio, and its object type follows. */
function aacName(esds: BoxPlace | undefined, bytes: Uint8Array): string | undefined {
  // DecoderSpecificInfo (ISO/IEC 14496-1 §7.2.6.7), as we write it: with a length of one byte
  const content = esds && bytes.subarray(esds.body + esdsHeadBytes, esds.end)
  const config = content?.[0] === 5 ? parseAudioSpecificConfig(content.subarray(2, 2 + content[1]!)) : undefined
  return config && `mp4a.40.${config.objectType}`
}

/** ISO/IEC 14496-15 §5.3.3.1. */
function h264Name(avcC: Uint8Array | undefined): string | undefined {
  if (avcC === undefined || avcC.length < 4) return undefined
  return h264.codecString({ profile: avcC[1]!, compat: avcC[2]!, level: avcC[3]! })
}

/** ISO/IEC 14496-15 §8.3.3.1. */
function h265Name(hvcC: Uint8Array | undefined): string | undefined {
  if (hvcC === undefined || hvcC.length < 13) return undefined
  const profile = hvcC[1]!
  return h265.codecString({
    profileSpace: profile >> 6,
    tier: (profile >> 5) & 1,
    profile: profile & 0x1f,
    compatibility: viewOf(hvcC).getUint32(2),
    constraints: hvcC.subarray(6, 12),
    level: hvcC[12]!,
  })
}

/** webmproject.org/vp9/mp4: profile, level, bit depth. */
function vp9Name(vpcC: Uint8Array | undefined): string | undefined {
  return vpcC && vpcC.length >= 7 ? `vp09.${two(vpcC[4]!)}.${two(vpcC[5]!)}.${two(vpcC[6]! >> 4)}` : undefined
}

/** aomediacodec.github.io/av1-isobmff §5: profile, level with tier, bit depth. */
function av1Name(av1C: Uint8Array | undefined): string | undefined {
  if (av1C === undefined || av1C.length < 3) return undefined
  const [, profile = 0, flags = 0] = av1C
  const depth = flags & 0x40 ? (flags & 0x20 ? 12 : 10) : 8
  return `av01.${profile >> 5}.${two(profile & 0x1f)}${flags & 0x80 ? 'H' : 'M'}.${two(depth)}`
}
