import { BitReader } from './bit-reader.ts'

/** ISO/IEC 14496-3 Table 1.18. */
const samplingRates = [96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350] as const

/** Samples in one AAC access unit at the coded rate (frameLengthFlag 0). */
export const aacFrameSamples = 1024

export interface AacConfig {
  objectType: number
  samplingRate: number
  channels: number
}

/** Parses an AudioSpecificConfig (ISO/IEC 14496-3 §1.6.2.1); undefined where it is not plausible. */
export function parseAudioSpecificConfig(bytes: Uint8Array): AacConfig | undefined {
  if (bytes.length < 2) return undefined
  const reader = new BitReader(bytes, 0, false)
  const first = reader.bits(5)
  const objectType = first === 31 ? 32 + reader.bits(6) : first
  const index = reader.bits(4)
  const samplingRate = index === 15 ? reader.bits(24) : samplingRates[index]
  const configuration = reader.bits(4)
  if (objectType === 0 || samplingRate === undefined || samplingRate === 0) return undefined
  return { objectType, samplingRate, channels: configuration === 7 ? 8 : configuration || 1 }
}

/** Makes the two bytes of an AAC-LC AudioSpecificConfig; five where the rate is not of the table. */
export function makeAudioSpecificConfig({ objectType, samplingRate, channels }: AacConfig): Uint8Array {
  const index = samplingRates.indexOf(samplingRate as (typeof samplingRates)[number])
  const configuration = channels === 8 ? 7 : channels
  if (index >= 0) {
    return Uint8Array.of((objectType << 3) | (index >> 1), ((index & 1) << 7) | (configuration << 3))
  }
  const rate = samplingRate & 0xffffff
  return Uint8Array.of(
    (objectType << 3) | 7,
    0x80 | (rate >> 17),
    rate >> 9,
    rate >> 1,
    ((rate & 1) << 7) | (configuration << 3),
  )
}

export interface AdtsFrame extends AacConfig {
  /** One raw access unit. */
  data: Uint8Array
  /** Bytes of header and data together. */
  size: number
}

/** Parses the ADTS frame at the beginning (ISO/IEC 13818-7 §6.2); undefined where there is none or it is cut short. */
export function parseAdts(bytes: Uint8Array): AdtsFrame | undefined {
  if (bytes.length < 7 || bytes[0] !== 0xff || (bytes[1]! & 0xf6) !== 0xf0) return undefined
  const header = bytes[1]! & 1 ? 7 : 9
  const samplingRate = samplingRates[(bytes[2]! >> 2) & 0x0f]
  const configuration = ((bytes[2]! & 1) << 2) | (bytes[3]! >> 6)
  const size = ((bytes[3]! & 3) << 11) | (bytes[4]! << 3) | (bytes[5]! >> 5)
  if (samplingRate === undefined || size <= header || size > bytes.length) return undefined
  return {
    objectType: (bytes[2]! >> 6) + 1,
    samplingRate,
    channels: configuration === 7 ? 8 : configuration || 1,
    data: bytes.subarray(header, size),
    size,
  }
}

/** Splits ADTS frames that follow each other; empty where the bytes are no ADTS. */
export function splitAdts(bytes: Uint8Array): AdtsFrame[] {
  const frames: AdtsFrame[] = []
  for (let at = 0; at < bytes.length; ) {
    const frame = parseAdts(bytes.subarray(at))
    if (frame === undefined) break
    frames.push(frame)
    at += frame.size
  }
  return frames
}

/** How AU headers look (RFC 3640 §4.1): sizes in bits. */
export interface AuHeaderLengths {
  sizeLength: number
  indexLength: number
  indexDeltaLength: number
}

/** AU sizes and what follows them; undefined where the header does not fit the payload. */
export function parseAuHeaders(
  payload: Uint8Array,
  { sizeLength, indexLength, indexDeltaLength }: AuHeaderLengths,
): { sizes: number[]; data: Uint8Array } | undefined {
  if (payload.length < 2) return undefined
  const headerBits = (payload[0]! << 8) | payload[1]!
  const headerBytes = (headerBits + 7) >> 3
  if (headerBits === 0 || 2 + headerBytes > payload.length) return undefined
  const reader = new BitReader(payload.subarray(2, 2 + headerBytes), 0, false)
  const sizes: number[] = []
  for (let used = 0; ; ) {
    const size = sizeLength + (sizes.length === 0 ? indexLength : indexDeltaLength)
    if (size <= 0 || used + size > headerBits) break
    sizes.push(reader.bits(sizeLength))
    reader.skip(size - sizeLength)
    used += size
  }
  return { sizes, data: payload.subarray(2 + headerBytes) }
}

/**
 * AudioSpecificConfig out of a StreamMuxConfig (ISO/IEC 14496-3 §1.7.3, as in MP4A-LATM's `config`): audioMuxVersion 0,
 * one program, one layer, which is what cameras send; undefined for anything else.
 */
export function configFromStreamMux(bytes: Uint8Array): Uint8Array | undefined {
  const reader = new BitReader(bytes, 0, false)
  if (bytes.length < 4 || reader.bit() !== 0) return undefined
  reader.skip(1) // allStreamsSameTimeFraming
  if (reader.bits(6) !== 0 || reader.bits(4) !== 0 || reader.bits(3) !== 0) return undefined
  const config = Uint8Array.of(reader.bits(8), reader.bits(8))
  return parseAudioSpecificConfig(config) === undefined ? undefined : config
}

/** Raw access units of an MP4A-LATM payload with `cpresent=0` (RFC 6416 §6.1): lengths as runs of 255, then the data. */
export function splitLatm(payload: Uint8Array): Uint8Array[] {
  const frames: Uint8Array[] = []
  for (let at = 0; at < payload.length; ) {
    let size = 0
    let byte = 255
    while (byte === 255 && at < payload.length) {
      byte = payload[at]!
      size += byte
      at += 1
    }
    if (size === 0 || at + size > payload.length) break
    frames.push(payload.subarray(at, at + size))
    at += size
  }
  return frames
}
