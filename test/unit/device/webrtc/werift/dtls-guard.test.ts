import { randomBytes } from 'node:crypto'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import type { DtlsClient } from 'werift'
import { makeCertificate } from '../../../../../device/webrtc/werift/certificate.ts'
import {
  contentTypes,
  handshakeRecord,
  handshakeTypes,
  parseHandshake,
  parseRecords,
  writeRecord,
} from '../../../../../device/webrtc/werift/dtls-records.ts'
import { clientHello, forgedRecord, plaintextAlerts, runtRecord } from '../../../../support/attacker/dtls-records.ts'
import { halves } from '../../../../support/attacker/halves.ts'
import { certificates, Handshake, type HandshakeOptions } from './handshake.ts'

function begin(options: HandshakeOptions = {}): Handshake {
  const handshake = new Handshake(options)
  onTestFinished(() => handshake.close())
  return handshake
}

async function verified(options: HandshakeOptions = {}): Promise<Handshake> {
  const handshake = begin(options)
  await vi.waitFor(() => expect([handshake.keys !== undefined, handshake.refused]).toEqual([true, undefined]), 10_000)
  await handshake.settle()
  return handshake
}

/** Type of the first handshake message in a datagram in the clear. */
function typeOf(datagram: Buffer): number | undefined {
  const [record] = parseRecords(datagram)
  if (record?.type !== contentTypes.handshake || record.epoch !== 0) return undefined
  return parseHandshake(record.fragment)?.[0]?.type
}
const isSealed = (datagram: Buffer) => parseRecords(datagram).some((record) => record.epoch === 1)

/** A record under the client's keys. */
function sealedBy({ cipher }: DtlsClient, contentType: number, sequenceNumber: number, fragment: Buffer): Buffer {
  const protocolVersion = { major: 0xfe, minor: 0xfd }
  const recordLayerHeader = { contentType, protocolVersion, epoch: 1, sequenceNumber, contentLen: fragment.length }
  const sealed = cipher.encryptPacket({ recordLayerHeader, fragment } as Parameters<typeof cipher.encryptPacket>[0])
  return writeRecord(contentType, 1, sequenceNumber, sealed.fragment)
}

describe('a client that is who was signalled', () => {
  test('is verified once, with the same keys on both sides, and hears of it', async () => {
    const handshake = await verified()
    expect(handshake.keys?.localMasterKey).toEqual(handshake.clientKeys.remoteKey)
    expect(handshake.keys?.remoteMasterKey).toEqual(handshake.clientKeys.localKey)
    expect(handshake.client.connected).toBe(true)
  })

  const losesFirst = (kind: (datagram: Buffer) => boolean) => {
    let lost = false
    return (datagram: Buffer) => {
      if (lost || !kind(datagram)) return [datagram]
      lost = true
      return []
    }
  }
  const isHello = (datagram: Buffer) => typeOf(datagram) === handshakeTypes.clientHello

  test.each<[string, HandshakeOptions]>([
    ['every message in two halves', { toServer: (one) => halves(one) }],
    ['halves that come the other way round', { toServer: (one) => halves(one).reverse() }],
    ['halves that come twice', { toServer: (one) => halves(one).flatMap((half) => [half, half]) }],
    ['halves that overlap', { toServer: (one) => halves(one, { overlap: 7 }) }],
    [
      'overlapping halves, doubled and reversed',
      { toServer: (one) => [...halves(one, { overlap: 7 }), ...halves(one, { overlap: 3 }).reverse()] },
    ],
    ['every datagram doubled', { toServer: (one) => [one, one], toClient: (one) => [one, one] }],
    ['a first ClientHello that is lost', { toServer: losesFirst(isHello) }],
    [
      'a HelloVerifyRequest that is lost',
      { toClient: losesFirst((one) => typeOf(one) === handshakeTypes.helloVerifyRequest) },
    ],
  ])('is verified through %s', async (_, options) => {
    const handshake = await verified(options)
    await vi.waitFor(() => expect(handshake.client.connected).toBe(true), 10_000)
    expect(handshake.keys?.localMasterKey).toEqual(handshake.clientKeys.remoteKey)
  })

  test('hears our Finished again when it says its own again: it was lost', async () => {
    const handshake = await verified({ toClient: losesFirst(isSealed) })
    const { client, guard } = handshake
    expect(client.connected).toBe(false)
    const finished = client.dtls.sortedHandshakeCache.find((one) => one.msg_type === handshakeTypes.finished)!
    guard.receive(sealedBy(client, contentTypes.handshake, 60, finished.serialize()))
    await handshake.settle()
    expect(client.connected).toBe(true)
  })

  test.each([0, 1])('is verified where half %i of each ClientHello is lost the first time', async (lost) => {
    const met = new Set<number>()
    const handshake = await verified({
      toServer: (datagram) => {
        if (!isHello(datagram)) return [datagram]
        const number = parseHandshake(parseRecords(datagram)[0]!.fragment)![0]!.number
        const pieces = halves(datagram)
        if (met.has(number)) return pieces
        met.add(number)
        return pieces.filter((_, index) => index !== lost)
      },
    })
    expect(met).toEqual(new Set([0, 1]))
    expect(handshake.keys?.localMasterKey).toEqual(handshake.clientKeys.remoteKey)
  })

  test('is verified although its last flight comes backwards', async () => {
    const flight: Buffer[] = []
    let handed = false
    const handshake = await verified({
      toServer: (datagram) => {
        if (isHello(datagram) || handed) return [datagram]
        flight.push(...parseRecords(datagram).map(({ bytes }) => bytes))
        if (!flight.some(isSealed)) return []
        handed = true
        return flight.reverse()
      },
    })
    expect(handshake.keys?.localMasterKey).toEqual(handshake.clientKeys.remoteKey)
    expect(handshake.sent.filter(isSealed)).toHaveLength(1) // nothing had to be sent again
  })

  test('is verified although somebody says hello in between, without and with a wrong cookie', async () => {
    const guess = Buffer.concat([
      Buffer.alloc(34),
      Buffer.of(0, 20),
      randomBytes(20),
      Buffer.of(0, 2, 0xc0, 0x2b, 1, 0),
    ])
    const handshake = await verified({
      toServer: (one) => [clientHello(), handshakeRecord(handshakeTypes.clientHello, 1, guess), one, clientHello()],
    })
    expect(handshake.keys?.localMasterKey).toEqual(handshake.clientKeys.remoteKey)
  })
})

describe('a client that is not', () => {
  async function outcome(options: HandshakeOptions): Promise<Handshake> {
    const handshake = begin(options)
    await vi.waitFor(() => expect(handshake.refused).toBeDefined(), 10_000)
    await handshake.settle()
    expect(handshake.keys).toBeUndefined()
    expect(handshake.answered.some(isSealed)).toBe(false)
    return handshake
  }

  test('is refused for its certificate', async () => {
    const other = await makeCertificate()
    expect((await outcome({ fingerprint: other.fingerprint })).refused).toMatch('not the signalled one')
  })

  test('is refused where it has the certificate and not the key', async () => {
    const other = await makeCertificate()
    expect((await outcome({ signsWith: other })).refused).toMatch('not signed')
  })

  test('is refused where its Finished does not fit', async () => {
    const handshake = begin()
    handshake.client.cipher.verifyData = () => Buffer.alloc(12)
    await vi.waitFor(() => expect(handshake.refused).toMatch('Finished'), 10_000)
    expect([handshake.keys, handshake.answered.some(isSealed)]).toEqual([undefined, false])
  })

  test('is refused without extended master secret: werift says that it has one, whatever was offered', async () => {
    expect((await outcome({ extendedMasterSecret: false })).refused).toMatch('RFC 7627')
  })

  // SECURITY.md: with the peer's own address, while the handshake runs.
  test('is refused where somebody has put in other bytes of a message; nobody else is believed', async () => {
    const poison = writeRecord(contentTypes.handshake, 0, 98, Buffer.from('0f00004c000400000000000104', 'hex'))
    const handshake = begin({
      toServer: (one) => {
        const theirs = parseRecords(one).find(({ bytes }) => typeOf(bytes) === handshakeTypes.certificateVerify)
        if (theirs === undefined) return [one]
        theirs.fragment.copy(poison, 14, 1, 4) // as long as theirs
        poison[poison.length - 1] = 5 // and not theirs: it begins with 4
        return [poison, one]
      },
    })
    await vi.waitFor(() => expect(handshake.refused).toMatch('not signed'), 10_000)
    expect([handshake.keys, handshake.answered.some(isSealed)]).toEqual([undefined, false])
  })

  const zeros = (number: number) => handshakeRecord(handshakeTypes.finished, number, Buffer.alloc(12), 99)

  test('is not verified by a Finished of zeros in the clear, at any point', async () => {
    for (const wanted of [handshakeTypes.certificate, handshakeTypes.clientKeyExchange, undefined]) {
      const handshake = begin({
        toServer: (datagram) => {
          const records = parseRecords(datagram)
          const kept = records.filter(({ bytes, epoch }) => epoch === 0 && typeOf(bytes) !== wanted)
          return [...kept.map(({ bytes }) => bytes), ...[2, 3, 4, 5].map(zeros)]
        },
      })
      await vi.waitFor(() => expect(handshake.sent.some(isSealed)).toBe(true), 10_000)
      await handshake.settle()
      expect([handshake.keys, handshake.answered.some(isSealed)]).toEqual([undefined, false])
    }
  })

  test.each([
    ['certificate', handshakeTypes.certificate],
    ['key exchange', handshakeTypes.clientKeyExchange],
    ['signature', handshakeTypes.certificateVerify],
  ])('is not verified without its %s', async (_, left) => {
    const without = (datagram: Buffer) =>
      parseRecords(datagram)
        .filter(({ bytes }) => typeOf(bytes) !== left)
        .map(({ bytes }) => bytes)
    const handshake = begin({ toServer: without })
    await vi.waitFor(() => expect(handshake.sent.some(isSealed)).toBe(true), 10_000)
    await handshake.settle()
    expect([handshake.keys, handshake.answered.some(isSealed)]).toEqual([undefined, false])
  })
})

describe('once the client is verified', () => {
  test('what is not under the keys does nothing and is not answered', async () => {
    const handshake = await verified()
    const answers = handshake.answered.length
    const unknown = [19, 24, 25, 63].map((type) => writeRecord(type, 1, 70, randomBytes(40)))
    const noise = Array.from({ length: 300 }, (_, length) =>
      Buffer.concat([Buffer.of(20 + (length % 44)), randomBytes(length)]),
    )
    const next = Array.from({ length: 12 }, (_, index) => handshakeRecord(1 + (index % 3), index, randomBytes(20), 99))
    for (const bytes of [
      ...next,
      ...plaintextAlerts(),
      clientHello(),
      forgedRecord(),
      runtRecord(),
      ...unknown,
      ...noise,
    ]) {
      handshake.guard.receive(bytes)
    }
    await handshake.settle()
    expect([handshake.closed, handshake.refused, handshake.answered.length]).toEqual([false, undefined, answers])
  })

  test('what it sent before does nothing when it comes again', async () => {
    const handshake = await verified()
    const answers = handshake.answered.length
    for (const datagram of handshake.sent) handshake.guard.receive(datagram)
    await handshake.settle()
    expect([handshake.closed, handshake.refused, handshake.answered.length]).toEqual([false, undefined, answers])
  })

  test('its close_notify ends the session; ours is under the keys', async () => {
    const handshake = await verified()
    const { client, guard } = handshake
    guard.receive(sealedBy(client, contentTypes.alert, 50, Buffer.of(1, 0)))
    expect(handshake.closed).toBe(true)
    const ours = parseRecords(handshake.answered.at(-1)!)[0]!
    expect([ours.type, ours.epoch]).toEqual([contentTypes.alert, 1])
    expect(certificates.server.fingerprint).toMatch(/^sha-256 ([0-9A-F]{2}:){31}/)
  })
})
