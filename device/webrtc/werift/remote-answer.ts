import { PorchlightError } from '@porchlight/proto/errors.ts'
import { attribute, parseSdp, ssrcsOf } from '@porchlight/proto/media/sdp.ts'
import { iceAndDtls } from '@porchlight/proto/media/sdp-transport.ts'
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

/** @throws PorchlightError `sdp_invalid` */
export function readAnswer(sdp: string): RemoteAnswer {
  const answer = parseSdp(sdp)
  const facts = sdpFacts(sdp)
  const passwords = new Set(answer.media.map((section) => section.icePwd).filter((one) => one !== undefined))
  if (passwords.size !== 1) throw new PorchlightError('sdp_invalid', 'ice-pwd')
  const { iceUfrag, icePwd, fingerprint } = iceAndDtls({
    iceUfrag: facts.ufrag,
    icePwd: [...passwords][0],
    fingerprint: facts.fingerprint,
  })
  if (answer.media.some(({ setup }) => setup !== 'active')) throw new PorchlightError('sdp_invalid', 'setup')
  const ssrcs = new Map<number, string>()
  for (const section of answer.media) for (const ssrc of ssrcsOf(section)) if (section.mid) ssrcs.set(ssrc, section.mid)
  return {
    ufrag: iceUfrag,
    password: icePwd,
    fingerprint,
    lite: attribute(answer, 'ice-lite') !== undefined,
    candidates: answer.media.flatMap((section) => section.candidates),
    ssrcs,
  }
}
