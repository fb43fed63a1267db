import { PorchlightError } from '@porchlight/proto/errors.ts'
import type { SdpFragment } from '@porchlight/proto/media/sdp-fragment.ts'
import { usefulCandidates } from '../webrtc/candidates.ts'
import type { EngineSession, TransportParameters } from '../webrtc/engine.ts'

/** Candidates taken from one peer after its offer; a phone has a handful. */
const mostTrickled = 32

/** Takes the candidates that a peer finds after its offer; what is of no use is left out without a word (RFC 9725 §4.3.2). */
export class Trickle {
  readonly #remote: TransportParameters
  readonly #mid: string
  readonly #session: Pick<EngineSession, 'addRemoteCandidate'>
  #taken = 0

  /** @param mid any line of the bundle */
  constructor(remote: TransportParameters, mid: string, session: Pick<EngineSession, 'addRemoteCandidate'>) {
    this.#remote = remote
    this.#mid = mid
    this.#session = session
  }

  /** @throws PorchlightError `ice_restart_unsupported` where they belong to another ICE session: the engine has but one */
  take({ iceUfrag, icePwd, candidates }: SdpFragment): void {
    const { iceUfrag: ufrag, icePwd: pwd } = this.#remote
    if (iceUfrag !== ufrag || icePwd !== pwd) throw new PorchlightError('ice_restart_unsupported')
    const taken = usefulCandidates(candidates).slice(0, mostTrickled - this.#taken)
    this.#taken += taken.length
    for (const candidate of taken) this.#session.addRemoteCandidate(candidate, this.#mid)
  }
}
