import { PorchlightError } from '@porchlight/proto/errors.ts'
import type { Identity } from '@porchlight/proto/identity/keys.ts'
import { parsePublicKey } from '@porchlight/proto/identity/keys.ts'
import {
  offerStatement,
  type SessionFacts,
  sessionStatement,
  signStatement,
  verifyStatement,
} from '@porchlight/proto/identity/statement.ts'
import { sdpFacts } from './sdp-facts.ts'

/** What makes one session's proofs: who we are, whom we pinned, and what the session is. */
export interface ProofContext {
  identity: Identity
  /** The gateway's public key as pinned at enrolment, base64url. */
  gatewayKey: string
  session: string
  /** Camera id `{device}.{camera}`. */
  camera: string
  nonce: string
}

/** Signature of our offer. @throws PorchlightError `sdp_invalid` */
export function signOffer(context: ProofContext, offerSdp: string): string {
  const ours = sdpFacts(offerSdp)
  const { session, camera, nonce } = context
  const statement = offerStatement({
    session,
    camera,
    nonce,
    deviceFingerprint: ours.fingerprint,
    deviceUfrag: ours.ufrag,
  })
  return signStatement(statement, context.identity.privateKey)
}

/**
 * Checks that the pinned gateway itself gave this answer to this offer.
 * @returns our signature of the same facts, for `confirm`
 * @throws PorchlightError `signature_invalid` or `sdp_invalid`
 */
export function confirmAnswer(context: ProofContext, offerSdp: string, answerSdp: string, signature: string): string {
  const ours = sdpFacts(offerSdp)
  const theirs = sdpFacts(answerSdp)
  const facts: SessionFacts = {
    session: context.session,
    camera: context.camera,
    nonce: context.nonce,
    deviceFingerprint: ours.fingerprint,
    gatewayFingerprint: theirs.fingerprint,
    deviceUfrag: ours.ufrag,
    gatewayUfrag: theirs.ufrag,
  }
  if (!verifyStatement(sessionStatement('gateway', facts), signature, parsePublicKey(context.gatewayKey))) {
    throw new PorchlightError('signature_invalid')
  }
  return signStatement(sessionStatement('device', facts), context.identity.privateKey)
}
