import { isAuthentic, readBinding } from '@porchlight/proto/net/stun.ts'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { hasZeroTieBreaker, withMappedAddress, withTieBreaker } from '../../gateway/webrtc/door-binding.ts'
import { binding } from '../support/attacker/stun.ts'

const password = 'password-of-twenty-four-c'
const client = { address: '192.0.2.1', port: 4000 }

/** All that is done with a datagram. */
function handle(bytes: Buffer): void {
  const read = readBinding(bytes)
  if (!read) return
  hasZeroTieBreaker(read)
  isAuthentic(read, password)
  expect(withTieBreaker(read, Buffer.alloc(8, 7), password).length).toBe(bytes.length)
  expect(withMappedAddress(read, client, password).length).toBe(bytes.length)
}

it('any datagram is read or refused', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      handle(Buffer.from(bytes))
    }),
    { numRuns: 500 },
  )
})

it('so is a check with any of its bytes changed or cut off', () => {
  const check = binding({ username: 'ours:theirs', useCandidate: true, tieBreaker: Buffer.alloc(8), password })
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(check.length - 1), fc.nat(255)), { maxLength: 6 }),
      fc.nat(check.length),
      (changes, length) => {
        const bytes = Buffer.from(check)
        for (const [at, value] of changes) bytes[at] = value
        handle(bytes)
        handle(bytes.subarray(0, length))
      },
    ),
    { numRuns: 1_000 },
  )
})

it('a check whose words were changed is not believed, one that was sealed anew is', () => {
  const tieBreaker = fc.uint8Array({ minLength: 8, maxLength: 8 }).map((bytes) => Buffer.from(bytes))
  const byte = fc.integer({ min: 1, max: 255 })
  fc.assert(
    fc.property(
      fc.stringMatching(/^[a-z]{1,20}:[a-z]{1,20}$/),
      tieBreaker,
      fc.nat(1_000),
      byte,
      (username, given, at, change) => {
        const read = readBinding(binding({ username, tieBreaker: Buffer.alloc(8), password }))!
        expect(read.username).toBe(username)
        expect(hasZeroTieBreaker(read)).toBe(true)
        expect(isAuthentic(readBinding(withTieBreaker(read, given, password))!, password)).toBe(true)
        const forged = Buffer.from(read.bytes)
        // FINGERPRINT, the last eight bytes, anybody can make.
        forged[at % (forged.length - 8)]! ^= change
        const changed = readBinding(forged)
        const believed = changed?.kind === 'request' && isAuthentic(changed, password)
        expect(believed === true).toBe(false)
      },
    ),
  )
})
