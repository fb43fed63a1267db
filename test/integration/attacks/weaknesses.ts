import { runtRecord } from '../../support/attacker/dtls-records.ts'
import { binding } from '../../support/attacker/stun.ts'
import { type Attack, checksOf, fromStranger, usernameOf } from './attack.ts'

/**
 * OpenSSL 1.1.1, which is linked into node-datachannel's binary, ends the connection over a record that is too short to
 * decrypt, where RFC 6347 §4.1.2.7 wants it dropped. It has to come from an address that ICE believes.
 */
export const runtFromPeer: Attack = {
  name: 'a record too short for its nonce, with the peer’s own address',
  strikes: () => [{ bytes: runtRecord(), from: 'peer' }],
}

/** libjuice believes an address from which a valid check came, were it a replayed one. */
export const runtAfterReplay: Attack = {
  name: 'a replayed check, then such a record from the same address',
  strikes: (fromPeer) => fromStranger([checksOf(fromPeer)[0]!, runtRecord()]),
}

/** libjuice does not verify the MESSAGE-INTEGRITY of an indication, and believes its address. */
export const runtAfterIndication: Attack = {
  name: 'a Binding indication with any MESSAGE-INTEGRITY, then such a record from the same address',
  strikes: () => fromStranger([binding({ kind: 'indication', password: 'any' }), runtRecord()]),
}

/** Where sessions share a port, libjuice first needs a request with the session's ufrag, whatever its MESSAGE-INTEGRITY. */
export const runtAfterUfrag: Attack = {
  name: 'a Binding request with the right user name alone, an indication, then such a record from the same address',
  strikes: (fromPeer) =>
    fromStranger([
      binding({ username: usernameOf(fromPeer), password: 'any' }),
      ...runtAfterIndication.strikes(fromPeer).map(({ bytes }) => bytes),
    ]),
}
