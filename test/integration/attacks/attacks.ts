import { randomBytes } from 'node:crypto'
import {
  clientHello,
  forgedRecord,
  laterHandshakes,
  plaintextAlerts,
  runtRecord,
} from '../../support/attacker/dtls-records.ts'
import { binding, nominatedBehind } from '../../support/attacker/stun.ts'
import { type Attack, checksOf, fromBoth, fromStranger, isSrtp, usernameOf } from './attack.ts'
import { lines, rtpPacket } from './lines.ts'

const times = <Made>(count: number, make: (index: number) => Made): Made[] =>
  Array.from({ length: count }, (_, index) => make(index))
const wrong = 'a-password-of-22-letters'

/** What every engine has to withstand. */
export const attacks: readonly Attack[] = [
  {
    name: 'a forged nomination without MESSAGE-INTEGRITY',
    strikes: (fromPeer) => fromBoth(times(5, () => binding({ username: usernameOf(fromPeer), useCandidate: true }))),
  },
  {
    name: 'a forged nomination with a wrong MESSAGE-INTEGRITY',
    strikes: (fromPeer) =>
      fromBoth(times(5, () => binding({ username: usernameOf(fromPeer), useCandidate: true, password: wrong }))),
  },
  {
    name: 'valid checks, replayed from another address',
    strikes: (fromPeer) => fromStranger(checksOf(fromPeer)),
    answered: true,
  },
  {
    name: 'valid checks with a nomination put in behind their MESSAGE-INTEGRITY',
    strikes: (fromPeer) => fromBoth(checksOf(fromPeer).map(nominatedBehind)),
    answered: true,
  },
  {
    name: 'a flood of Binding requests, with the right user name and with others',
    strikes: (fromPeer) =>
      fromStranger(
        times(400, (index) => {
          const username = index % 2 === 0 ? usernameOf(fromPeer) : randomBytes(6).toString('hex')
          return binding({ username, useCandidate: true, password: wrong })
        }),
      ),
  },
  {
    name: 'Binding indications with a wrong MESSAGE-INTEGRITY',
    strikes: () => fromBoth(times(5, () => binding({ kind: 'indication', password: wrong }))),
  },
  {
    name: 'a ClientHello, from a stranger’s address and from the peer’s',
    strikes: () => fromBoth(times(5, clientHello)),
  },
  {
    name: 'handshake messages in the clear, a Finished of zeros among them',
    strikes: () => fromBoth(laterHandshakes()),
  },
  {
    name: 'alerts in the clear, from a stranger’s address and from the peer’s',
    strikes: () => fromBoth(plaintextAlerts()),
  },
  {
    name: 'records of epoch 1 made without the key, from a stranger’s address and from the peer’s',
    strikes: () => fromBoth(times(5, forgedRecord)),
  },
  {
    name: 'a record too short for its nonce, from a stranger’s address',
    strikes: () => fromStranger(times(5, runtRecord)),
  },
  {
    name: 'SRTP, replayed from the peer’s address and from another',
    strikes: (fromPeer) => fromBoth(fromPeer.filter(isSrtp)),
  },
  {
    name: 'RTP made without the key, from a stranger’s address and from the peer’s',
    strikes: () => fromBoth(times(20, (index) => rtpPacket(lines.audio, 40_000 + index))),
  },
  {
    name: 'a datagram of noise of every kind, from a stranger’s address',
    strikes: () => fromStranger(times(256, (index) => Buffer.concat([Buffer.of(index), randomBytes(index)]))),
  },
]
