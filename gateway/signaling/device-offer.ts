import { PorchlightError } from '@porchlight/proto/errors.ts'
import { absCaptureTimeUri, frameNumberUri, transportCcUri } from '@porchlight/proto/media/rtp-extensions.ts'
import { type MediaSection, parseSdp } from '@porchlight/proto/media/sdp.ts'
import { type AudioCodec, audioCodec, type VideoCodec, videoCodec } from '@porchlight/proto/messages/cameras.ts'
import type { LineFormat } from '../sfu/media-line.ts'
import type { TalkFormat } from '../sfu/talk-line.ts'
import type { EngineTrack, TransportParameters } from '../webrtc/engine.ts'
import { remoteTransport } from '../webrtc/remote-offer.ts'
import type { AnswerSection } from './answer-sdp.ts'
import { remoteSsrcs } from './viewer-offer.ts'

/** What becomes of a device's offer. */
export interface DevicePlan {
  remote: TransportParameters
  sections: AnswerSection[]
  tracks: EngineTrack[]
  video: { mid: string; format: LineFormat } | undefined
  /** The picture's small layer: a second line of video, of the same codec. */
  sub: { mid: string; format: LineFormat } | undefined
  audio: { mid: string; format: LineFormat } | undefined
  talk: { mid: string; format: TalkFormat } | undefined
}

/** Extensions that we want of a device, as far as it offers them. */
const wanted = [frameNumberUri, absCaptureTimeUri, transportCcUri]

/**
 * Takes a device's offer: the first line of video and the first of audio that it sends, a second line of video as its small
 * layer, and the line that it receives for talk.
 * @param talkSsrc our source on the talk line
 * @throws PorchlightError `sdp_invalid`, `sdp_mismatch`
 */
export function planDevice(offerSdp: string, talkSsrc: number): DevicePlan {
  const offer = parseSdp(offerSdp)
  if (offer.media.length === 0 || offer.media.length > 8) throw new PorchlightError('sdp_mismatch', 'media lines')
  const plan: Omit<DevicePlan, 'remote'> = {
    sections: [],
    tracks: [],
    video: undefined,
    sub: undefined,
    audio: undefined,
    talk: undefined,
  }
  let remote: TransportParameters | undefined
  for (const section of offer.media) {
    const { mid, kind } = section
    if (mid === undefined || !/^[\w.+-]{1,32}$/.test(mid)) throw new PorchlightError('sdp_invalid', 'mid')
    const answer: AnswerSection = {
      kind,
      protocol: section.protocol,
      formats: section.formats.slice(0, 1),
      mid,
      accepted: undefined,
    }
    plan.sections.push(answer)
    if (!section.rtcpMux || (kind !== 'video' && kind !== 'audio')) continue
    const sends = section.direction === 'sendonly' || section.direction === 'sendrecv'
    if (sends && !plan[kind]) {
      const format = acceptLine(section, kind, mid, answer, plan.tracks)
      if (format) plan[kind] = { mid, format }
    } else if (sends && kind === 'video' && plan.video && !plan.sub) {
      if (choose(section)?.codec !== plan.video.format.codec) continue
      const format = acceptLine(section, kind, mid, answer, plan.tracks)
      if (format) plan.sub = { mid, format }
    } else if (kind === 'audio' && section.direction === 'recvonly' && !plan.talk) {
      const format = acceptTalkLine(section, mid, talkSsrc, answer, plan.tracks)
      if (format) plan.talk = { mid, format }
    }
    if (answer.accepted) remote ??= remoteTransport(section)
  }
  if (!remote || (!plan.video && !plan.audio)) throw new PorchlightError('sdp_mismatch', 'nothing we can take')
  return { ...plan, remote }
}

interface Choice {
  payloadType: number
  codec: VideoCodec | Exclude<AudioCodec, 'aac'>
  clockRate: number
  channels: number
  rtpmap: string
  fmtp: string
}

/** The first payload type whose codec we know: a device offers what its camera sends. */
function choose(section: MediaSection): Choice | undefined {
  for (const payloadType of section.payloadTypes) {
    const rtpmap = section.rtpmaps.get(payloadType)
    const codec = rtpmap?.codec.toLowerCase()
    if (!rtpmap || !isKnown(codec)) continue
    const fmtp = [...(section.fmtps.get(payloadType) ?? [])].map(([name, value]) => `${name}=${value}`).join(';')
    const { clockRate, channels } = rtpmap
    const text = `${rtpmap.codec}/${clockRate}${channels > 1 ? `/${channels}` : ''}`
    return { payloadType, codec, clockRate, channels, rtpmap: text, fmtp }
  }
  return undefined
}

function isKnown(codec: string | undefined): codec is VideoCodec | Exclude<AudioCodec, 'aac'> {
  return videoCodec.safeParse(codec).success || audioCodec.exclude(['aac']).safeParse(codec).success
}

function acceptLine(
  section: MediaSection,
  kind: 'video' | 'audio',
  mid: string,
  answer: AnswerSection,
  tracks: EngineTrack[],
): LineFormat | undefined {
  const choice = choose(section)
  if (!choice) return undefined
  const { payloadType, rtpmap, fmtp } = choice
  const extensions = section.extmaps.filter(({ id, uri }) => wanted.includes(uri) && id >= 1 && id <= 14)
  const idOf = (wantedUri: string) => extensions.find(({ uri }) => uri === wantedUri)?.id
  const feedback = kind === 'video' ? ['nack', 'nack pli', 'transport-cc'] : ['nack', 'transport-cc']
  answer.accepted = {
    direction: 'recvonly',
    payloads: [{ payloadType, rtpmap, fmtp: fmtp || undefined, feedback }],
    extensions,
    ssrcs: [],
  }
  tracks.push({ mid, kind, direction: 'recvonly', payloadType, localSsrcs: [], remoteSsrcs: remoteSsrcs(section) })
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

function acceptTalkLine(
  section: MediaSection,
  mid: string,
  ssrc: number,
  answer: AnswerSection,
  tracks: EngineTrack[],
): TalkFormat | undefined {
  const choice = choose(section)
  if (!choice || !(choice.codec === 'opus' || choice.codec === 'pcmu' || choice.codec === 'pcma')) return undefined
  const { payloadType, rtpmap, fmtp, clockRate, codec } = choice
  answer.accepted = {
    direction: 'sendonly',
    payloads: [{ payloadType, rtpmap, fmtp: fmtp || undefined, feedback: [] }],
    extensions: [],
    ssrcs: [ssrc],
  }
  tracks.push({ mid, kind: 'audio', direction: 'sendonly', payloadType, localSsrcs: [ssrc], remoteSsrcs: [] })
  return { codec, payloadType, clockRate, ssrc }
}
