import { isAuthentic, readBinding, resealed } from '@porchlight/proto/net/stun.ts'
import { expect, test } from 'vitest'
import { binding, bindingSuccess, nominatedBehind } from '../../../support/attacker/stun.ts'

const password = 'a-password-of-22-letters'
const username = 'here:there'

/** With a further attribute in front of the others; the length in the header is right, what is sealed is not. */
function withFirst(message: Buffer, attribute: Buffer): Buffer {
  const bytes = Buffer.concat([message.subarray(0, 20), attribute, message.subarray(20)])
  bytes.writeUInt16BE(bytes.length - 20, 2)
  return bytes
}

// RFC 5769 §2.1 and §2.2: what its authors made, byte for byte.
const sampleRequest = Buffer.from(
  '000100582112a442b7e7a701bc34d686fa87dfae802200105354554e207465737420636c69656e74' +
    '002400046e0001ff80290008932ff9b151263b36000600096576746a3a68367659202020' +
    '000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a280280004e57a3bcf',
  'hex',
)
const sampleResponse = Buffer.from(
  '0101003c2112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220' +
    '002000080001a147e112a643000800142b91f599fd9e90c38c7489f92af9ba53f06be7d780280004c07d4c96',
  'hex',
)
const samplePassword = 'VOkJxbRl1RmTxUk/WvJxBt'

test('the samples of RFC 5769 are read, authentic, and sealed as they were', () => {
  const request = readBinding(sampleRequest)!
  expect(request).toMatchObject({ kind: 'request', username: 'evtj:h6vY' })
  expect(sampleRequest.toString('hex', request.tieBreakerAt!, request.tieBreakerAt! + 8)).toBe('932ff9b151263b36')
  const response = readBinding(sampleResponse)!
  expect(response).toMatchObject({ kind: 'success', username: undefined, xorMappedAddress: { length: 8 } })
  for (const sample of [request, response]) {
    expect(isAuthentic(sample, samplePassword)).toBe(true)
    expect(isAuthentic(sample, password)).toBe(false)
    const unsealed = { ...sample, bytes: Buffer.from(sample.bytes) }
    unsealed.bytes.fill(0, sample.integrityAt, sample.integrityAt! + 20)
    unsealed.bytes.fill(0, sample.fingerprintAt, sample.fingerprintAt! + 4)
    expect(resealed(unsealed, samplePassword, () => undefined)).toEqual(sample.bytes)
  }
})

test('each kind of Binding is told apart', () => {
  for (const kind of ['request', 'indication', 'success'] as const) {
    expect(readBinding(binding({ kind, username }))?.kind).toBe(kind)
  }
  const error = binding({ kind: 'success' })
  error.writeUInt16BE(0x0111)
  expect(readBinding(error)?.kind).toBe('error')
  // TURN's Allocate (RFC 8656 §17).
  error.writeUInt16BE(0x0003)
  expect(readBinding(error)).toBeUndefined()
})

test('without MESSAGE-INTEGRITY nobody has signed it', () => {
  const read = readBinding(binding({ username }))!
  expect(read.username).toBe(username)
  expect(isAuthentic(read, password)).toBe(false)
})

test('what stands behind MESSAGE-INTEGRITY, twice, or is cut off makes it none', () => {
  const signed = binding({ username, password })
  expect(readBinding(signed)).toBeDefined()
  expect(readBinding(nominatedBehind(signed))).toBeUndefined()
  const otherName = Buffer.from([0, 6, 0, 4, ...Buffer.from('me:u')])
  expect(readBinding(withFirst(signed, otherName))).toBeUndefined()
  expect(readBinding(signed.subarray(0, -4))).toBeUndefined()
  expect(readBinding(Buffer.concat([signed, Buffer.alloc(4)]))).toBeUndefined()
  const tooLong = Buffer.from([0x80, 0x22, 0x05, 0xdc, ...Buffer.alloc(1_500)])
  expect(readBinding(withFirst(signed, tooLong))).toBeUndefined()
})

test('an answer over IPv4 is read with its address', () => {
  const answer = bindingSuccess({ transaction: Buffer.alloc(12), mapped: { address: '192.0.2.1', port: 9 }, password })
  const read = readBinding(answer)!
  expect(read.xorMappedAddress).toEqual({ at: 24, length: 8 })
  expect(isAuthentic(read, password)).toBe(true)
})
