import { PorchlightError } from '@porchlight/proto/errors.ts'
import { attribute, parseSdp } from '@porchlight/proto/media/sdp.ts'
import { sdpFacts } from '../sdp-facts.ts'
import type { RemoteIce } from './ice-agent.ts'

/** What an answer says of the peer. */
export interface RemoteAnswer extends RemoteIce {
  /** `sha-256 AB:CD:…` */
  fingerprint: string
  candidates: string[]
  /** The lines of the sources that it announces. */
  ssrcs: ReadonlyMap<number, string>
}

/** Sources that an answer may announce. */
const maxSsrcs = 16

/** @throws PorchlightError `sdp_invalid` */
export function readAnswer(sdp: string): RemoteAnswer {
  const answer = parseSdp(sdp)
  const { fingerprint, ufrag } = sdpFacts(sdp)
  const passwords = new Set(answer.media.map((section) => section.icePwd).filter((one) => one !== undefined))
  const [password] = passwords
  // RFC 8839 §5.4: ufrag 4–256, password 22–256 characters
  if (!/^[A-Za-z0-9+/]{4,256}$/.test(ufrag)) throw new PorchlightError('sdp_invalid', 'ice-ufrag')
  if (passwords.size !== 1 || !/^[A-Za-z0-9+/]{22,256}$/.test(password!)) {
    throw new PorchlightError('sdp_invalid', 'ice-pwd')
  }
  if (!/^sha-(256|384|512) [0-9A-F]{2}(:[0-9A-F]{2}){31,63}$/i.test(fingerprint)) {
    throw new PorchlightError('sdp_invalid', 'fingerprint')
  }
  if (answer.media.some(({ setup }) => setup !== 'active')) throw new PorchlightError('sdp_invalid', 'setup')
  const ssrcs = new Map<number, string>()
  for (const section of answer.media) {
    for (const { name, value } of section.attributes) {
      const ssrc = Number.parseInt(value, 10)
      if (name === 'ssrc' && ssrc >= 0 && section.mid && ssrcs.size < maxSsrcs) ssrcs.set(ssrc, section.mid)
    }
  }
  return {
    ufrag,
    password: password!,
    fingerprint,
    lite: attribute(answer, 'ice-lite') !== undefined,
    candidates: answer.media.flatMap((section) => section.candidates),
    ssrcs,
  }
}
