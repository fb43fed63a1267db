import { writeRtcp } from '@porchlight/proto/media/rtcp.ts'
import type { MediaSection } from '@porchlight/proto/media/sdp.ts'
import type { MediaReceiver } from '../media-receiver.ts'

/** Our SSRC in reports: any number, as we send nothing else by it. */
const sender = 0x506f7263

/** A receiver report on the video; some cameras take its absence for ours (RFC 3550 §6.2). undefined before a packet. */
export function receiverReport(receiver: MediaReceiver): Uint8Array | undefined {
  const ssrc = receiver.videoSsrc
  if (ssrc === undefined) return undefined
  const block = {
    ssrc,
    fractionLost: 0,
    packetsLost: receiver.stats.lost,
    highestSequence: receiver.videoSequence,
    jitter: 0,
    lastSr: 0,
    delaySinceLastSr: 0,
  }
  return writeRtcp([
    { type: 'rr', ssrc: sender, reports: [block] },
    { type: 'sdes', chunks: [{ ssrc: sender, cname: 'porchlight' }] },
  ])
}

/** Only cameras that announce `a=rtcp-fb:… nack pli` can be asked for a keyframe (RFC 4585 §4.2). */
export function takesPli(section: MediaSection): boolean {
  return section.attributes.some(({ name, value }) => name === 'rtcp-fb' && /\bnack\s+pli\b/i.test(value))
}

/** Asks for a keyframe (RFC 4585 §6.3.1). */
export function pictureLoss(media: number): Uint8Array {
  return writeRtcp([{ type: 'pli', sender, media }])
}
