import { absCaptureTimeUri, frameNumberUri, transportCcUri } from '@porchlight/proto/media/rtp-extensions.ts'
import { type MediaSection, ssrcsOf } from '@porchlight/proto/media/sdp.ts'
import { type AudioCodec, audioCodec, type VideoCodec, videoCodec } from '@porchlight/proto/messages/cameras.ts'
import type { LineFormat } from '../sfu/media-line.ts'
import type { TalkFormat } from '../sfu/talk-line.ts'
import type { EngineTrack, TransportParameters } from '../webrtc/engine.ts'
import type { AnswerSection } from './answer-sdp.ts'
import { offeredFeedback } from './codec-match.ts'

/** What becomes of the offer of somebody who sends: a device, or who publishes by WHIP. */
export interface ProducerPlan {
  remote: TransportParameters
  /** In the offer's order, refused ones included. */
  sections: AnswerSection[]
  tracks: EngineTrack[]
  video: { mid: string; format: LineFormat } | undefined
  /** The picture's small layer: a second line of video, of the same codec. */
  sub: { mid: string; format: LineFormat } | undefined
  audio: { mid: string; format: LineFormat } | undefined
  talk: { mid: string; format: TalkFormat } | undefined
}

/** To be filled in line by line. */
export function emptyPlan(): Omit<ProducerPlan, 'remote'> {
  return { sections: [], tracks: [], video: undefined, sub: undefined, audio: undefined, talk: undefined }
}

/** A payload type that a line may be taken with. */
export interface Choice {
  payloadType: number
  codec: VideoCodec | Exclude<AudioCodec, 'aac'>
  clockRate: number
  channels: number
  rtpmap: string
  fmtp: string
}

/** The payload types of a line whose codec we know, in the offer's order. */
export function choicesOf(section: MediaSection): Choice[] {
  return section.payloadTypes.flatMap((payloadType) => {
    const rtpmap = section.rtpmaps.get(payloadType)
    const codec = rtpmap?.codec.toLowerCase()
    if (!rtpmap || !isKnown(codec)) return []
    const fmtp = [...(section.fmtps.get(payloadType) ?? [])].map(([name, value]) => `${name}=${value}`).join(';')
    const { clockRate, channels } = rtpmap
    const text = `${rtpmap.codec}/${clockRate}${channels > 1 ? `/${channels}` : ''}`
    return [{ payloadType, codec, clockRate, channels, rtpmap: text, fmtp }]
  })
}

function isKnown(codec: string | undefined): codec is VideoCodec | Exclude<AudioCodec, 'aac'> {
  return videoCodec.safeParse(codec).success || audioCodec.exclude(['aac']).safeParse(codec).success
}

/** Header extensions that we take of whoever sends, as far as they are offered. */
export const takenExtensions = [absCaptureTimeUri, transportCcUri] as const

/**
 * Takes a line that the other side sends.
 * @param uris header extensions wanted
 * @param answer the line's place in our answer, written here
 * @param tracks what the engine is told of, added to here
 */
export function acceptLine(
  { section, kind, mid, choice }: { section: MediaSection; kind: 'video' | 'audio'; mid: string; choice: Choice },
  uris: readonly string[],
  answer: AnswerSection,
  tracks: EngineTrack[],
): LineFormat {
  const { payloadType, rtpmap, fmtp } = choice
  // The one-byte form has ids 1 to 14 (RFC 8285 §4.2).
  const extensions = section.extmaps.filter(({ id, uri }) => uris.includes(uri) && id >= 1 && id <= 14)
  const idOf = (wanted: string) => extensions.find(({ uri }) => uri === wanted)?.id
  const ours = kind === 'video' ? ['nack', 'nack pli', 'transport-cc'] : ['nack', 'transport-cc']
  answer.accepted = {
    direction: 'recvonly',
    payloads: [{ payloadType, rtpmap, fmtp: fmtp || undefined, feedback: offeredFeedback(section, payloadType, ours) }],
    extensions,
    ssrcs: [],
  }
  tracks.push({ mid, kind, direction: 'recvonly', payloadType, localSsrcs: [], remoteSsrcs: ssrcsOf(section) })
  return {
    kind,
    codec: choice.codec,
    payloadType,
    clockRate: choice.clockRate,
    channels: choice.channels,
    fmtp,
    frameNumberId: idOf(frameNumberUri),
    captureTimeId: idOf(absCaptureTimeUri),
    transportCcId: idOf(transportCcUri),
  }
}
