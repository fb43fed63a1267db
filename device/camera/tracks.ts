import { PorchlightError } from '@porchlight/proto/errors.ts'
import {
  type AuHeaderLengths,
  configFromStreamMux,
  makeAudioSpecificConfig,
  parseAudioSpecificConfig,
} from '@porchlight/proto/media/aac.ts'
import { isCodec, type MediaSection, type Rtpmap, type SessionDescription } from '@porchlight/proto/media/sdp.ts'
import type { VideoCodec } from '@porchlight/proto/messages/cameras.ts'

export interface VideoTrack {
  kind: 'video'
  section: MediaSection
  codec: VideoCodec
  payloadType: number
  clockRate: number
  /** Parameter sets of the SDP; often missing, sometimes wrong. */
  sprop: Uint8Array[]
}

export interface AudioTrack {
  kind: 'audio'
  section: MediaSection
  codec: 'pcmu' | 'pcma' | 'opus' | 'aac'
  payloadType: number
  clockRate: number
  channels: number
  /** AAC only. */
  aac?: AacForm
}

export interface AacForm {
  form: 'generic' | 'latm'
  lengths: AuHeaderLengths
  /** AudioSpecificConfig. */
  config: Uint8Array
}

export interface BackchannelTrack {
  kind: 'backchannel'
  section: MediaSection
  codec: 'pcmu' | 'pcma'
  payloadType: number
}

export interface Tracks {
  video: VideoTrack
  audio: AudioTrack | undefined
  backchannel: BackchannelTrack | undefined
}

const videoCodecs: readonly (readonly [name: string, codec: VideoCodec])[] = [
  ['H264', 'h264'],
  ['H265', 'h265'],
  ['HEVC', 'h265'],
  ['VP8', 'vp8'],
  ['VP9', 'vp9'],
  ['AV1', 'av1'],
]

/**
 * Chooses what to take from a camera's description: the first video line and the first sound line that we know, and the
 * line that takes sound (ONVIF Streaming §5.3: `a=sendonly` there means the client sends).
 * @throws PorchlightError `camera_no_video`, `camera_codec`
 */
export function chooseTracks(sdp: SessionDescription): Tracks {
  const videos = sdp.media.filter((section) => section.kind === 'video')
  if (videos.length === 0) throw new PorchlightError('camera_no_video')
  const video = firstOf(videos, videoTrack)
  if (video === undefined) {
    const names = videos.flatMap((section) => [...section.rtpmaps.values()].map((rtpmap) => rtpmap.codec))
    throw new PorchlightError('camera_codec', names.join(', ').slice(0, 100) || 'no rtpmap')
  }
  const sounds = sdp.media.filter((section) => section.kind === 'audio')
  const takes = (section: MediaSection) => section.attributes.some(({ name }) => name === 'sendonly')
  return {
    video,
    audio: firstOf(
      sounds.filter((section) => !takes(section)),
      audioTrack,
    ),
    backchannel: firstOf(sounds.filter(takes), backchannelTrack),
  }
}

function firstOf<T>(sections: readonly MediaSection[], make: (section: MediaSection) => T | undefined): T | undefined {
  for (const section of sections) {
    const track = make(section)
    if (track !== undefined) return track
  }
  return undefined
}

function* rtpmapsInOrder(section: MediaSection): Generator<Rtpmap> {
  for (const payloadType of section.payloadTypes) {
    const rtpmap = section.rtpmaps.get(payloadType)
    if (rtpmap !== undefined) yield rtpmap
  }
  // some descriptions name another payload type in the m-line than in the rtpmap
  for (const rtpmap of section.rtpmaps.values()) if (!section.payloadTypes.includes(rtpmap.payloadType)) yield rtpmap
}

function videoTrack(section: MediaSection): VideoTrack | undefined {
  for (const rtpmap of rtpmapsInOrder(section)) {
    const codec = videoCodecs.find(([name]) => isCodec(rtpmap, name))?.[1]
    if (codec === undefined) continue
    const fmtp = section.fmtps.get(rtpmap.payloadType)
    const names = codec === 'h264' ? ['sprop-parameter-sets'] : ['sprop-vps', 'sprop-sps', 'sprop-pps']
    const sprop = names.flatMap((name) => (fmtp?.get(name) ?? '').split(',')).flatMap(decodeSet)
    // RFC 6184 §8.2.1 and the others: the clock is 90 kHz whatever the line says
    return { kind: 'video', section, codec, payloadType: rtpmap.payloadType, clockRate: 90_000, sprop }
  }
  return undefined
}

function decodeSet(text: string): Uint8Array[] {
  const bytes = Buffer.from(text, 'base64')
  // some put a start code in front
  let start = 0
  if (bytes[0] === 0 && bytes[1] === 0) start = bytes[2] === 1 ? 3 : bytes[2] === 0 && bytes[3] === 1 ? 4 : 0
  return bytes.length > start + 2 ? [new Uint8Array(bytes.subarray(start))] : []
}

function audioTrack(section: MediaSection): AudioTrack | undefined {
  for (const rtpmap of rtpmapsInOrder(section)) {
    const { payloadType, channels } = rtpmap
    const base = { kind: 'audio', section, payloadType } as const
    // G.711 at other rates exists (16 kHz), Opus is always 48 kHz (RFC 7587 §4.1)
    if (isCodec(rtpmap, 'PCMU')) return { ...base, codec: 'pcmu', clockRate: rtpmap.clockRate, channels }
    if (isCodec(rtpmap, 'PCMA')) return { ...base, codec: 'pcma', clockRate: rtpmap.clockRate, channels }
    if (isCodec(rtpmap, 'opus')) return { ...base, codec: 'opus', clockRate: 48_000, channels: 2 }
    const generic = isCodec(rtpmap, 'mpeg4-generic')
    if (generic || isCodec(rtpmap, 'MP4A-LATM')) {
      const fmtp = section.fmtps.get(payloadType)
      if (generic && /hbr|lbr|aac/i.test(fmtp?.get('mode') ?? 'aac') === false) continue
      const aac = aacForm(generic ? 'generic' : 'latm', fmtp, rtpmap)
      const facts = parseAudioSpecificConfig(aac.config)
      return { ...base, codec: 'aac', clockRate: rtpmap.clockRate, channels: facts?.channels ?? channels, aac }
    }
  }
  return undefined
}

function aacForm(form: 'generic' | 'latm', fmtp: Map<string, string> | undefined, rtpmap: Rtpmap): AacForm {
  const number = (name: string, fallback: number) => {
    const value = Number.parseInt(fmtp?.get(name) ?? '', 10)
    return value >= 0 && value <= 32 ? value : fallback
  }
  const hex = Buffer.from(fmtp?.get('config') ?? '', 'hex')
  const given = form === 'latm' ? configFromStreamMux(hex) : parseAudioSpecificConfig(hex) && new Uint8Array(hex)
  return {
    form,
    // AAC-hbr (RFC 3640 §3.3.6) where the line is silent
    lengths: {
      sizeLength: number('sizelength', 13),
      indexLength: number('indexlength', 3),
      indexDeltaLength: number('indexdeltalength', 3),
    },
    config:
      given ??
      makeAudioSpecificConfig({
        objectType: 2,
        samplingRate: rtpmap.clockRate,
        channels: Math.min(rtpmap.channels, 2),
      }),
  }
}

function backchannelTrack(section: MediaSection): BackchannelTrack | undefined {
  for (const rtpmap of rtpmapsInOrder(section)) {
    if (rtpmap.clockRate !== 8000) continue
    const codec = isCodec(rtpmap, 'PCMU') ? 'pcmu' : isCodec(rtpmap, 'PCMA') ? 'pcma' : undefined
    if (codec !== undefined) return { kind: 'backchannel', section, codec, payloadType: rtpmap.payloadType }
  }
  return undefined
}
