import { PorchlightError } from '../errors.ts'
import type { MediaSection } from './sdp.ts'

/** What a description says of its side's ICE and DTLS. */
export interface IceAndDtls {
  iceUfrag: string
  icePwd: string
  /** `sha-256 AA:BB:…` */
  fingerprint: string
}

/**
 * Checks letter by letter what a description says of ICE and DTLS, because it is handed on to libraries, which parse it again.
 * @throws PorchlightError `sdp_invalid`
 */
export function iceAndDtls(section: Pick<MediaSection, keyof IceAndDtls>): IceAndDtls {
  const { iceUfrag, icePwd, fingerprint } = section
  // RFC 8839 §5.4: ufrag 4–256, password 22–256 characters
  if (!iceUfrag || !/^[A-Za-z0-9+/]{4,256}$/.test(iceUfrag)) throw new PorchlightError('sdp_invalid', 'ice-ufrag')
  if (!icePwd || !/^[A-Za-z0-9+/]{22,256}$/.test(icePwd)) throw new PorchlightError('sdp_invalid', 'ice-pwd')
  if (!fingerprint || !/^sha-(256|384|512) [0-9A-F]{2}(:[0-9A-F]{2}){31,63}$/i.test(fingerprint)) {
    throw new PorchlightError('sdp_invalid', 'fingerprint')
  }
  return { iceUfrag, icePwd, fingerprint }
}
