import { PorchlightError } from '@porchlight/proto/errors.ts'
import { type MediaSection, parseSdp, ssrcsOf } from '@porchlight/proto/media/sdp.ts'
import type { AnswerSection } from './answer-sdp.ts'
import { bundleOf, bundleTransport, isBundled, word } from './offer-sections.ts'
import { acceptLine, type Choice, choicesOf, emptyPlan, type ProducerPlan, takenExtensions } from './producer-plan.ts'

/** As many as could come in good faith; what fits is one of each kind. */
const maxSections = 8

/**
 * Which codec is taken of those that somebody offers who could send several, the lower the better. What every phone shows
 * and a recording plays as comes first; AV1 is not shown by older iPhones, a recording of VP8 has no HLS, H.265 not shown by most
 * browsers. The offer's order decides between equals, as for sound.
 */
const ranks: Partial<Record<Choice['codec'], number>> = { h264: 0, vp9: 1, av1: 2, vp8: 3, h265: 4 }

/**
 * Takes the offer of who publishes by WHIP: one picture and at most one sound. All of it or nothing (RFC 9725 §4.4.3): a
 * camera that is heard and not seen would only puzzle people.
 * @throws PorchlightError `sdp_invalid`, `offer_unsupported`
 */
export function planPublisher(offerSdp: string): ProducerPlan & { video: NonNullable<ProducerPlan['video']> } {
  const offer = parseSdp(offerSdp)
  if (offer.media.length === 0) throw new PorchlightError('sdp_invalid', 'no media line')
  if (offer.media.length > maxSections) throw unsupported(`${offer.media.length} media lines`)
  const bundled = bundleOf(offer)
  const plan = emptyPlan()
  for (const [index, section] of offer.media.entries()) {
    const line = `media line ${index + 1}`
    const { kind, mid, direction } = section
    if (kind !== 'video' && kind !== 'audio') throw unsupported(`${line}: neither picture nor sound`)
    if (plan[kind]) throw unsupported(`${line}: a second one of its kind`)
    // RFC 9725 §4.2: `inactive` and `recvonly` must not be used.
    if (direction !== 'sendonly' && direction !== 'sendrecv') throw unsupported(`${line}: does not send`)
    if (mid === undefined || !isBundled(section, bundled)) throw unsupported(`${line}: BUNDLE and rtcp-mux are needed`)
    // The engine tells bundled lines apart by their sources alone (RFC 9143 §9.2), and does not read their mid.
    if (offer.media.length > 1 && ssrcsOf(section).length === 0) throw unsupported(`${line}: a=ssrc is missing`)
    const choice = best(section)
    if (!choice) throw unsupported(`${line}: no codec that is known`)
    const answer: AnswerSection = { kind, protocol: word(section.protocol), formats: [], mid, accepted: undefined }
    plan.sections.push(answer)
    plan[kind] = { mid, format: acceptLine({ section, kind, mid, choice }, takenExtensions, answer, plan.tracks) }
  }
  if (!plan.video) throw unsupported('no picture')
  return { ...plan, video: plan.video, remote: bundleTransport(offer, bundled, offer.media[0]!) }
}

function unsupported(detail: string): PorchlightError {
  return new PorchlightError('offer_unsupported', detail)
}

/** The best of a line's payload types. */
function best(section: MediaSection): Choice | undefined {
  return choicesOf(section).toSorted((one, other) => rankOf(section, one) - rankOf(section, other))[0]
}

function rankOf(section: MediaSection, { codec, payloadType }: Choice): number {
  const fmtp = section.fmtps.get(payloadType)
  // Not all receivers take one packet per NAL unit (RFC 6184 §6.2), few decode VP9 of more than 8 bits.
  const unusual =
    (codec === 'h264' && fmtp?.get('packetization-mode') !== '1') ||
    (codec === 'vp9' && (fmtp?.get('profile-id') ?? '0') !== '0')
  return (ranks[codec] ?? 0) + (unusual ? 0.5 : 0)
}
