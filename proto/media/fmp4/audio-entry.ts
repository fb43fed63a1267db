import type { AudioCodec } from '../../messages/cameras.ts'
import type { AudioFormat } from '../access-unit.ts'
import { box, fullBox, u8, u16, u32, zeros } from './boxes.ts'

/** Names of sample entries. */
export const audioEntryCodecs: ReadonlyMap<string, AudioCodec> = new Map([
  ['mp4a', 'aac'],
  ['Opus', 'opus'],
  ['ulaw', 'pcmu'],
  ['alaw', 'pcma'],
])

/** Makes the sample entry for a stream of sound. G.711 gets QuickTime's `ulaw`/`alaw`: ffmpeg plays it, browsers do not. */
export function audioEntry(format: AudioFormat): Uint8Array {
  switch (format.codec) {
    case 'aac':
      return soundEntry('mp4a', format, esds(format.config ?? audioSpecificConfig(format)))
    case 'opus':
      return soundEntry('Opus', format, dOps(format))
    case 'pcmu':
      return soundEntry('ulaw', format)
    case 'pcma':
      return soundEntry('alaw', format)
  }
}

/** AudioSampleEntry (ISO/IEC 14496-12 §12.2.3). */
function soundEntry(type: string, { channels, clockRate }: AudioFormat, configuration?: Uint8Array): Uint8Array {
  return box(
    type,
    zeros(6),
    u16(1), // data_reference_index
    zeros(8),
    u16(channels),
    u16(16),
    zeros(4),
    u16(clockRate < 65_536 ? clockRate : 0), // 16.16: the fraction follows
    u16(0),
    configuration ?? [],
  )
}

/** OpusSpecificBox (opus-codec.org/docs/opus_in_isobmff.html §4.3.2). Capture times need no pre-skip: it is 0. */
function dOps({ channels }: AudioFormat): Uint8Array {
  return box('dOps', u8(0, Math.min(channels, 2)), u16(0), u32(48_000), u16(0), u8(0))
}

/** An MPEG-4 descriptor with a length of one byte (ISO/IEC 14496-1 §8.3.3). */
const descriptor = (tag: number, ...content: (number[] | Uint8Array)[]): number[] => {
  const body = content.flatMap((piece) => [...piece])
  return [tag, body.length, ...body]
}

/** ES_Descriptor → DecoderConfigDescriptor → AudioSpecificConfig (ISO/IEC 14496-1 §7.2.6). */
function esds(config: Uint8Array): Uint8Array {
  const decoderConfig = descriptor(
    0x04,
    u8(0x40, 0x15), // MPEG-4 Audio, AudioStream
    [0, 0, 0],
    u32(0),
    u32(0),
    descriptor(0x05, config.subarray(0, 64)),
  )
  return fullBox('esds', 0, 0, descriptor(0x03, u16(2), u8(0), decoderConfig, descriptor(0x06, u8(2))))
}

const samplingRates = [
  96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350,
]

/** AAC-LC where the camera's description lacks the configuration (ISO/IEC 14496-3 §1.6.2.1). */
function audioSpecificConfig({ clockRate, channels }: AudioFormat): Uint8Array {
  const index = Math.max(0, samplingRates.indexOf(clockRate))
  return Uint8Array.of((2 << 3) | (index >> 1), ((index & 1) << 7) | (channels << 3))
}
