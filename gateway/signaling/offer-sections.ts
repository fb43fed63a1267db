import { PorchlightError } from '@porchlight/proto/errors.ts'
import { attribute, type MediaSection, type SessionDescription } from '@porchlight/proto/media/sdp.ts'
import type { TransportParameters } from '../webrtc/engine.ts'
import { remoteTransport } from '../webrtc/remote-offer.ts'

/**
 * Mids of the BUNDLE group; a single line without a group is a group of its own.
 * @throws PorchlightError `sdp_invalid`
 */
export function bundleOf(offer: SessionDescription): Set<string> {
  const group = offer.attributes.find(({ name, value }) => name === 'group' && value.startsWith('BUNDLE'))
  const mids = group ? group.value.split(/\s+/).slice(1) : []
  const only = offer.media.length === 1 ? offer.media[0]?.mid : undefined
  if (mids.length === 0 && only !== undefined) mids.push(only)
  for (const mid of mids) if (!/^[\w.+-]{1,32}$/.test(mid)) throw new PorchlightError('sdp_invalid', 'mid')
  return new Set(mids)
}

/** Whether a line shares the one transport and is not switched off: port 0 has another meaning where it is bundle-only. */
export function isBundled(section: MediaSection, bundled: ReadonlySet<string>): boolean {
  const { mid, rtcpMux, port } = section
  // RFC 9143 §6: a line that is only to be used within the bundle has port 0.
  const open = port !== 0 || attribute(section, 'bundle-only') !== undefined
  return mid !== undefined && bundled.has(mid) && rtcpMux && open
}

/**
 * The transport of a bundle. Lines that are bundle-only do not repeat it (RFC 9429 §5.2.1): it stands in the group's first.
 * @param accepted the first line that is taken
 * @throws PorchlightError `sdp_invalid`
 */
export function bundleTransport(
  offer: SessionDescription,
  bundled: ReadonlySet<string>,
  accepted: MediaSection,
): TransportParameters {
  if (accepted.iceUfrag !== undefined) return remoteTransport(accepted)
  const [tagged] = bundled
  return remoteTransport(offer.media.find(({ mid }) => mid === tagged) ?? accepted)
}

/** A word of a media line that goes into an answer. @throws PorchlightError `sdp_invalid` */
export function word(text: string): string {
  if (!/^[\w/.+-]{1,64}$/.test(text)) throw new PorchlightError('sdp_invalid', 'media line')
  return text
}
