import { asPorchlightError } from '@porchlight/proto/errors.ts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { cookieOf, withoutCookie } from '../../device/webrtc/werift/client-hello.ts'
import { parseHandshake, parseRecords, writeRecord } from '../../device/webrtc/werift/dtls-records.ts'
import { HandshakeAssembly } from '../../device/webrtc/werift/handshake-assembly.ts'
import { isSignedBy, signalledCertificate } from '../../device/webrtc/werift/handshake-proofs.ts'
import { usableServers } from '../../device/webrtc/werift/ice-servers.ts'
import { readAnswer } from '../../device/webrtc/werift/remote-answer.ts'
import { certificates, Handshake } from '../unit/device/webrtc/werift/handshake.ts'

const bytes = fc.uint8Array({ maxLength: 300 }).map((noise) => Buffer.from(noise))

test('records: what is read are pieces of the datagram, in order', () => {
  fc.assert(
    fc.property(bytes, (datagram) => {
      const records = parseRecords(datagram)
      expect(Buffer.concat(records.map((record) => record.bytes))).toEqual(
        datagram.subarray(
          0,
          records.reduce((sum, record) => sum + record.bytes.length, 0),
        ),
      )
      for (const { fragment } of records) parseHandshake(fragment)
    }),
  )
})

/** Pieces of one message that cover all of it, doubled, overlapping, in any order. */
const pieces = fc.uint8Array({ minLength: 1, maxLength: 400 }).chain((body) => {
  const cut = fc
    .tuple(fc.nat(body.length), fc.nat(body.length))
    .map(([one, other]) => [Math.min(one, other), Math.max(one, other)])
  const cuts = fc.array(cut, { maxLength: 12 }).map((some) => {
    const at = some.flat().sort((one, other) => one - other)
    const whole = [0, ...at, body.length].slice(0, -1).map((from, index) => [from, at[index] ?? body.length])
    return [...some, ...whole] as [number, number][]
  })
  return cuts
    .chain((some) => fc.shuffledSubarray(some, { minLength: some.length }))
    .map((order) => ({ body: Buffer.from(body), order }))
})

test('a handshake message is the same in whatever pieces it came', () => {
  fc.assert(
    fc.property(pieces, ({ body, order }) => {
      const assembly = new HandshakeAssembly(3)
      for (const [from, to] of order) {
        assembly.add({ type: 1, length: body.length, number: 3, offset: from, body: body.subarray(from, to) })
      }
      expect(assembly.take()).toEqual({ type: 1, number: 3, body })
      expect([assembly.take(), assembly.next]).toEqual([undefined, 4])
    }),
  )
})

test('pieces that claim too much are not kept', () => {
  const assembly = new HandshakeAssembly(0)
  for (let number = 0; number < 100; number += 1) {
    assembly.add({ type: 1, length: 2 ** 24 - 1, number, offset: 0, body: Buffer.alloc(10) })
  }
  assembly.add({ type: 1, length: 4, number: 0, offset: 0, body: Buffer.alloc(4) })
  expect(assembly.take()?.body).toHaveLength(4)
})

test('a hello loses its cookie and nothing else', () => {
  fc.assert(
    fc.property(bytes, (body) => {
      const cookie = cookieOf(body)
      const bare = withoutCookie(body)
      if (cookie === undefined) expect(bare).toEqual(body)
      else expect([bare.length, cookieOf(bare)?.length]).toEqual([body.length - cookie.length, 0])
    }),
  )
})

test('certificates and signatures of noise are none', () => {
  const { fingerprint } = certificates.client
  fc.assert(
    fc.property(bytes, bytes, fc.string(), (body, transcript, text) => {
      expect(signalledCertificate(body, fingerprint)).toBeUndefined()
      expect(signalledCertificate(body, text)).toBeUndefined()
      const known = certificates.clientX509
      expect(isSignedBy(known, body, transcript)).toBe(false)
      expect(isSignedBy(known, Buffer.concat([Buffer.of(4, 3, 0, body.length), body]), transcript)).toBe(false)
    }),
  )
})

test('answers and ICE servers of any text are read or refused with a code', () => {
  const line = fc.oneof(
    fc.string(),
    fc.constantFrom(
      'm=audio 9 UDP/TLS/RTP/SAVPF 0',
      'a=ice-ufrag:abcd',
      'a=setup:active',
      'a=ssrc:5 cname:x',
      'a=mid:t',
    ),
    fc.constantFrom('a=ice-pwd:0123456789012345678901', `a=fingerprint:${certificates.client.fingerprint}`),
  )
  fc.assert(
    fc.property(fc.array(line, { maxLength: 12 }), (lines) => {
      try {
        expect(readAnswer(lines.join('\r\n')).password.length).toBeGreaterThanOrEqual(22)
      } catch (error) {
        expect(asPorchlightError(error).code).toBe('sdp_invalid')
      }
      usableServers(lines)
    }),
  )
})

test('a handshake in which somebody puts noise still ends well, and the noise throws nothing', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(bytes, { minLength: 1, maxLength: 5 }), async (noise) => {
      const handshake = new Handshake({
        toServer: (one) => [
          ...noise.flatMap((body) => [body, writeRecord(22, 0, 5, body), writeRecord(23, 1, 5, body)]),
          one,
        ],
      })
      for (let round = 0; round < 20 && handshake.keys === undefined; round += 1) await handshake.settle()
      handshake.close()
      expect([handshake.keys !== undefined, handshake.refused]).toEqual([true, undefined])
    }),
    { numRuns: 20 },
  )
})
