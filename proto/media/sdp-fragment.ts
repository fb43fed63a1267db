import { PorchlightError } from '../errors.ts'
import { attribute, parseSdp } from './sdp.ts'

/** Media type of {@link parseSdpFragment}'s text (RFC 8840 §9). */
export const sdpFragmentType = 'application/trickle-ice-sdpfrag'

/** What one side tells of its ICE after the offer (RFC 8840 §9). */
export interface SdpFragment {
  iceUfrag: string
  icePwd: string
  /** Each as `candidate:…`. */
  candidates: string[]
  /** No further candidate follows. */
  ended: boolean
}

/**
 * Reads a trickle ICE fragment of a bundled session: one ICE session, whose user name and password stand at the beginning
 * or in its sections.
 * @throws PorchlightError `sdp_invalid` where they are missing or are two; never anything else
 */
export function parseSdpFragment(text: string): SdpFragment {
  const session = parseSdp(text)
  const parts = session.media.length > 0 ? session.media : [session]
  return {
    iceUfrag: only(parts, session, 'ice-ufrag'),
    icePwd: only(parts, session, 'ice-pwd'),
    candidates: session.media.flatMap((section) => section.candidates),
    ended: [session, ...session.media].some((part) => attribute(part, 'end-of-candidates') !== undefined),
  }
}

type Part = Parameters<typeof attribute>[0]

function only(parts: readonly Part[], session: Part, name: string): string {
  const values = new Set(parts.map((part) => attribute(part, name) ?? attribute(session, name)))
  const [value] = values
  if (!value || values.size > 1) throw new PorchlightError('sdp_invalid', name)
  return value
}
