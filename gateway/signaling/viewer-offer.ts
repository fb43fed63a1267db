import { randomInt } from 'node:crypto'
import { PorchlightError } from '@porchlight/proto/errors.ts'
import { transportCcUri } from '@porchlight/proto/media/rtp-extensions.ts'
import { type MediaSection, parseSdp, ssrcsOf } from '@porchlight/proto/media/sdp.ts'
import type { LineFormat } from '../sfu/media-line.ts'
import type { Producer } from '../sfu/producer.ts'
import type { SenderTrack } from '../sfu/sender-link.ts'
import type { EngineTrack, TransportParameters } from '../webrtc/engine.ts'
import type { AnswerSection } from './answer-sdp.ts'
import { type CodecMatch, matchCodec } from './codec-match.ts'
import { bundleOf, bundleTransport, isBundled, word } from './offer-sections.ts'

/** What becomes of a viewer's offer. */
export interface ViewerPlan {
  remote: TransportParameters
  /** In the offer's order, refused ones included. */
  sections: AnswerSection[]
  tracks: EngineTrack[]
  video: SenderTrack
  audio: SenderTrack | undefined
  /** The viewer's microphone. */
  talk: { mid: string; payloadType: number } | undefined
}

const maxSections = 8

/**
 * Fits a WHEP offer to what a camera sends: its picture, its sound where the viewer can play it, and the talk line where the
 * camera takes the codec. What does not fit is refused line by line; without the picture there is no session.
 * @throws PorchlightError `sdp_invalid`, `sdp_mismatch`, `codec_unsupported`
 */
export function planViewer(offerSdp: string, producer: Pick<Producer, 'video' | 'audio' | 'talk'>): ViewerPlan {
  const offer = parseSdp(offerSdp)
  if (offer.media.length === 0 || offer.media.length > maxSections) {
    throw new PorchlightError('sdp_mismatch', `${offer.media.length} media lines`)
  }
  const bundled = bundleOf(offer)
  const videoFormat = producer.video?.format
  if (!videoFormat) throw new PorchlightError('sdp_mismatch', 'the camera sends no picture')
  const plan: Omit<ViewerPlan, 'remote' | 'video'> & { video: SenderTrack | undefined } = {
    sections: [],
    tracks: [],
    video: undefined,
    audio: undefined,
    talk: undefined,
  }
  let remote: TransportParameters | undefined
  let sawVideo = false
  for (const section of offer.media) {
    const { mid } = section
    const answer: AnswerSection = {
      kind: word(section.kind),
      protocol: word(section.protocol),
      formats: section.formats.slice(0, 1).map(word),
      mid,
      accepted: undefined,
    }
    plan.sections.push(answer)
    const receives = section.direction === 'recvonly' || section.direction === 'sendrecv'
    if (section.kind === 'video' && receives) sawVideo = true
    if (mid === undefined || !isBundled(section, bundled)) continue
    if (section.kind === 'video' && receives && !plan.video) {
      plan.video = acceptSender(section, mid, videoFormat, answer, plan.tracks)
    } else if (section.kind === 'audio' && receives && !plan.audio && producer.audio) {
      plan.audio = acceptSender(section, mid, producer.audio.format, answer, plan.tracks)
    } else if (section.kind === 'audio' && section.direction === 'sendonly' && !plan.talk && producer.talk) {
      plan.talk = acceptTalk(section, mid, producer.talk.format, answer, plan.tracks)
    }
    if (answer.accepted) remote ??= bundleTransport(offer, bundled, section)
  }
  const { video } = plan
  if (!video || !remote) {
    if (!sawVideo) throw new PorchlightError('sdp_mismatch', 'no line that takes video')
    if (![...bundled].length) throw new PorchlightError('sdp_mismatch', 'BUNDLE and rtcp-mux are needed')
    throw new PorchlightError('codec_unsupported', videoFormat.codec)
  }
  return { ...plan, video, remote }
}

function newSsrc(): number {
  return randomInt(1, 2 ** 32 - 1)
}

function transportCc(section: MediaSection, match: CodecMatch): number | undefined {
  if (!match.payload.feedback.includes('transport-cc')) return undefined
  // The one-byte form has ids 1 to 14 (RFC 8285 §4.2).
  return section.extmaps.find(({ id, uri }) => uri === transportCcUri && id >= 1 && id <= 14)?.id
}

function acceptSender(
  section: MediaSection,
  mid: string,
  format: LineFormat,
  answer: AnswerSection,
  tracks: EngineTrack[],
): SenderTrack | undefined {
  const match = matchCodec(section, format)
  if (!match) return undefined
  const transportCcId = transportCc(section, match)
  const { payloadType, feedback } = match.payload
  const track: SenderTrack = {
    mid,
    ssrc: newSsrc(),
    payloadType,
    rtx: match.rtx === undefined ? undefined : { ssrc: newSsrc(), payloadType: match.rtx },
    asksAgain: feedback.includes('nack'),
    transportCcId,
  }
  const ssrcs = track.rtx ? [track.ssrc, track.rtx.ssrc] : [track.ssrc]
  const rtx = track.rtx && {
    payloadType: track.rtx.payloadType,
    rtpmap: `rtx/${format.clockRate}`,
    fmtp: `apt=${payloadType}`,
    feedback: [],
  }
  answer.accepted = {
    direction: 'sendonly',
    payloads: rtx ? [match.payload, rtx] : [match.payload],
    extensions: transportCcId === undefined ? [] : [{ id: transportCcId, uri: transportCcUri }],
    ssrcs,
  }
  const kind = format.kind
  tracks.push({ mid, kind, direction: 'sendonly', payloadType, localSsrcs: ssrcs, remoteSsrcs: [] })
  return track
}

function acceptTalk(
  section: MediaSection,
  mid: string,
  format: { codec: 'opus' | 'pcmu' | 'pcma'; clockRate: number },
  answer: AnswerSection,
  tracks: EngineTrack[],
): { mid: string; payloadType: number } | undefined {
  const match = matchCodec(section, {
    kind: 'audio',
    codec: format.codec,
    payloadType: 0,
    clockRate: format.clockRate,
    channels: 1,
    fmtp: '',
    frameNumberId: undefined,
    captureTimeId: undefined,
    transportCcId: undefined,
  })
  if (!match) return undefined
  const { payloadType } = match.payload
  const payload = { ...match.payload, feedback: match.payload.feedback.filter((one) => one === 'nack') }
  answer.accepted = { direction: 'recvonly', payloads: [payload], extensions: [], ssrcs: [] }
  tracks.push({
    mid,
    kind: 'audio',
    direction: 'recvonly',
    payloadType,
    localSsrcs: [],
    remoteSsrcs: ssrcsOf(section),
  })
  return { mid, payloadType }
}
