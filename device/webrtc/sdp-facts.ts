import { PorchlightError } from '@porchlight/proto/errors.ts'

/** What the two sides sign of an SDP. */
export interface SdpFacts {
  /** `sha-256 AB:CD:…` */
  fingerprint: string
  ufrag: string
}

/**
 * Reads fingerprint and ufrag of a bundled SDP. A second, different value anywhere is refused: which of the two the
 * engine would believe must never be the question.
 * @throws PorchlightError `sdp_invalid`
 */
export function sdpFacts(sdp: string): SdpFacts {
  return { fingerprint: only(sdp, 'fingerprint'), ufrag: only(sdp, 'ice-ufrag') }
}

function only(sdp: string, attribute: string): string {
  const values = new Set<string>()
  for (const line of sdp.split(/[\r\n]+/)) {
    const match = /^\s*a\s*=\s*([A-Za-z-]+)\s*:(.*)$/.exec(line)
    if (match?.[1]?.toLowerCase() === attribute) values.add(match[2]!.trim())
  }
  const [value] = values
  if (value === undefined || value === '') throw new PorchlightError('sdp_invalid', `no ${attribute}`)
  if (values.size > 1) throw new PorchlightError('sdp_invalid', `more than one ${attribute}`)
  return value
}
