import { isCodec, type MediaSection } from '@porchlight/proto/media/sdp.ts'
import type { LineFormat } from '../sfu/media-line.ts'
import type { AnswerPayload } from './answer-sdp.ts'

/** A payload type of the viewer's offer that fits what the camera sends. */
export interface CodecMatch {
  payload: AnswerPayload
  /** Payload type of its retransmissions (RFC 4588), where offered. */
  rtx: number | undefined
}

const names = {
  h264: 'H264',
  h265: 'H265',
  vp8: 'VP8',
  vp9: 'VP9',
  av1: 'AV1',
  opus: 'opus',
  pcmu: 'PCMU',
  pcma: 'PCMA',
} as const

type H264Profile = 'constrained-baseline' | 'baseline' | 'main' | 'constrained-high' | 'high' | 'other'

/** RFC 6184 §8.1, table 5: profile from profile_idc and the constraint flags. */
export function h264Profile(profileLevelId: string | undefined): H264Profile {
  // Absent: baseline, level 1 (RFC 6184 §8.1).
  const match = /^([0-9a-f]{2})([0-9a-f]{2})[0-9a-f]{2}$/i.exec(profileLevelId ?? '42000a')
  const idc = match ? Number.parseInt(match[1]!, 16) : 0
  const flags = match ? Number.parseInt(match[2]!, 16) : 0
  if (idc === 66) return flags & 0x40 ? 'constrained-baseline' : 'baseline'
  if (idc === 77) return flags & 0x80 ? 'constrained-baseline' : 'main'
  if (idc === 88) return flags & 0x80 && flags & 0x40 ? 'constrained-baseline' : 'other'
  if (idc === 100) return (flags & 0x0c) === 0x0c ? 'constrained-high' : 'high'
  return 'other'
}

/**
 * What plays a stream, best first. A decoder of a higher profile plays the lower; last come those that promise less than
 * the stream needs: decoders go by the SPS and mostly do more than they promise, and nothing else would be left to try.
 */
const playedBy: Readonly<Record<H264Profile, readonly H264Profile[]>> = {
  'constrained-baseline': ['constrained-baseline', 'baseline', 'main', 'constrained-high', 'high', 'other'],
  baseline: ['baseline', 'constrained-baseline', 'main', 'high', 'constrained-high', 'other'],
  main: ['main', 'high', 'constrained-high', 'other', 'baseline', 'constrained-baseline'],
  'constrained-high': ['constrained-high', 'high', 'other', 'main', 'baseline', 'constrained-baseline'],
  high: ['high', 'constrained-high', 'other', 'main', 'baseline', 'constrained-baseline'],
  other: ['other', 'high', 'constrained-high', 'main', 'baseline', 'constrained-baseline'],
}

/** Finds what the offer has for the camera's line; undefined where it has nothing that plays it. */
export function matchCodec(section: MediaSection, line: LineFormat): CodecMatch | undefined {
  const candidates = section.payloadTypes.filter((payloadType) => {
    const rtpmap = section.rtpmaps.get(payloadType)
    return isCodec(rtpmap, names[line.codec]) && rtpmap?.clockRate === line.clockRate
  })
  const chosen = line.codec === 'h264' ? bestH264(section, candidates, line) : bestOther(section, candidates, line)
  if (chosen === undefined) return undefined
  const rtpmap = section.rtpmaps.get(chosen)!
  const channels = line.codec === 'opus' ? '/2' : ''
  const video = line.kind === 'video'
  return {
    payload: {
      payloadType: chosen,
      rtpmap: `${rtpmap.codec}/${rtpmap.clockRate}${channels}`,
      fmtp: writeFmtp(section.fmtps.get(chosen)),
      feedback: offeredFeedback(
        section,
        chosen,
        video ? ['nack', 'nack pli', 'ccm fir', 'transport-cc'] : ['nack', 'transport-cc'],
      ),
    },
    rtx: video ? rtxOf(section, chosen) : undefined,
  }
}

function bestH264(section: MediaSection, candidates: readonly number[], line: LineFormat): number | undefined {
  const order = playedBy[h264Profile(/profile-level-id=([0-9a-f]{6})/i.exec(line.fmtp)?.[1])]
  let best: { payloadType: number; rank: number } | undefined
  for (const payloadType of candidates) {
    const fmtp = section.fmtps.get(payloadType)
    // We send fragments (FU-A), which mode 0 does not take.
    if (fmtp?.get('packetization-mode') !== '1') continue
    const rank = order.indexOf(h264Profile(fmtp.get('profile-level-id')))
    if (!best || rank < best.rank) best = { payloadType, rank }
  }
  return best?.payloadType
}

/** VP9's `profile-id`, AV1's `profile`, H.265's `profile-id` must be the camera's where both name one. */
function bestOther(section: MediaSection, candidates: readonly number[], line: LineFormat): number | undefined {
  const key = line.codec === 'av1' ? 'profile' : 'profile-id'
  const usual = line.codec === 'h265' ? '1' : '0'
  const wanted = new RegExp(`(?:^|;)\\s*${key}=(\\d+)`, 'i').exec(line.fmtp)?.[1] ?? usual
  if (line.kind === 'audio' || line.codec === 'vp8') return candidates[0]
  return candidates.find((payloadType) => (section.fmtps.get(payloadType)?.get(key) ?? usual) === wanted)
}

function writeFmtp(parameters: Map<string, string> | undefined): string | undefined {
  if (!parameters || parameters.size === 0) return undefined
  // An answer repeats the offer's parameters (RFC 6184 §8.2.2); letters that do not belong into one are left out.
  return [...parameters]
    .map(([name, value]) => (value === '' ? name : `${name}=${value}`))
    .filter((text) => /^[\w.+/=:,-]{1,128}$/.test(text))
    .join(';')
}

/** What of our feedback is offered: an answer adds none (RFC 4585 §4.2). */
export function offeredFeedback(section: MediaSection, payloadType: number, ours: readonly string[]): string[] {
  const offered = new Set<string>()
  for (const { name, value } of section.attributes) {
    if (name !== 'rtcp-fb') continue
    const match = /^(\d{1,3}|\*)\s+(.+)$/.exec(value)
    if (match && (match[1] === '*' || Number(match[1]) === payloadType)) offered.add(match[2]!.trim().toLowerCase())
  }
  return ours.filter((feedback) => offered.has(feedback))
}

function rtxOf(section: MediaSection, payloadType: number): number | undefined {
  for (const [candidate, rtpmap] of section.rtpmaps) {
    if (!isCodec(rtpmap, 'rtx')) continue
    if (section.fmtps.get(candidate)?.get('apt') === String(payloadType)) return candidate
  }
  return undefined
}
