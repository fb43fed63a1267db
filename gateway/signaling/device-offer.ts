import { PorchlightError } from '@porchlight/proto/errors.ts'
import { frameNumberUri } from '@porchlight/proto/media/rtp-extensions.ts'
import { parseSdp } from '@porchlight/proto/media/sdp.ts'
import type { TalkFormat } from '../sfu/talk-line.ts'
import type { EngineTrack, TransportParameters } from '../webrtc/engine.ts'
import { remoteTransport } from '../webrtc/remote-offer.ts'
import type { AnswerSection } from './answer-sdp.ts'
import { acceptLine, type Choice, choicesOf, emptyPlan, type ProducerPlan, takenExtensions } from './producer-plan.ts'

/** Extensions that we want of a device, as far as it offers them. */
const wanted = [frameNumberUri, ...takenExtensions]

/**
 * Takes a device's offer: the first line of video and the first of audio that it sends, a second line of video as its small
 * layer, and the line that it receives for talk.
 * @param talkSsrc our source on the talk line
 * @throws PorchlightError `sdp_invalid`, `sdp_mismatch`
 */
export function planDevice(offerSdp: string, talkSsrc: number): ProducerPlan {
  const offer = parseSdp(offerSdp)
  if (offer.media.length === 0 || offer.media.length > 8) throw new PorchlightError('sdp_mismatch', 'media lines')
  const plan = emptyPlan()
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
    // A device offers what its camera sends.
    const [choice] = choicesOf(section)
    if (!choice) continue
    const sends = section.direction === 'sendonly' || section.direction === 'sendrecv'
    const accept = () => ({ mid, format: acceptLine({ section, kind, mid, choice }, wanted, answer, plan.tracks) })
    if (sends && !plan[kind]) plan[kind] = accept()
    else if (sends && kind === 'video' && plan.video && !plan.sub) {
      if (choice.codec === plan.video.format.codec) plan.sub = accept()
    } else if (kind === 'audio' && section.direction === 'recvonly' && !plan.talk) {
      const format = acceptTalkLine(choice, mid, talkSsrc, answer, plan.tracks)
      if (format) plan.talk = { mid, format }
    }
    if (answer.accepted) remote ??= remoteTransport(section)
  }
  if (!remote || (!plan.video && !plan.audio)) throw new PorchlightError('sdp_mismatch', 'nothing we can take')
  return { ...plan, remote }
}

function acceptTalkLine(
  { payloadType, rtpmap, fmtp, clockRate, codec }: Choice,
  mid: string,
  ssrc: number,
  answer: AnswerSection,
  tracks: EngineTrack[],
): TalkFormat | undefined {
  if (!(codec === 'opus' || codec === 'pcmu' || codec === 'pcma')) return undefined
  answer.accepted = {
    direction: 'sendonly',
    payloads: [{ payloadType, rtpmap, fmtp: fmtp || undefined, feedback: [] }],
    extensions: [],
    ssrcs: [ssrc],
  }
  tracks.push({ mid, kind: 'audio', direction: 'sendonly', payloadType, localSsrcs: [ssrc], remoteSsrcs: [] })
  return { codec, payloadType, clockRate, ssrc }
}
