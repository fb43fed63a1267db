import { randomBytes } from 'node:crypto'
import { writeRtcp } from '@porchlight/proto/media/rtcp.ts'
import { parseRtp, writeRtp } from '@porchlight/proto/media/rtp.ts'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ProtectionProfileAeadAes128Gcm } from 'werift'
import { packetIndex, ReplayWindow } from '../../../../../device/webrtc/werift/replay-window.ts'
import { Srtp, srtpProfiles } from '../../../../../device/webrtc/werift/srtp.ts'

function pair(profile: (typeof srtpProfiles)[number]): { near: Srtp; far: Srtp } {
  const salt = profile === ProtectionProfileAeadAes128Gcm ? 12 : 14
  const [key, otherKey, here, there] = [randomBytes(16), randomBytes(16), randomBytes(salt), randomBytes(salt)]
  const near = { localMasterKey: key, localMasterSalt: here, remoteMasterKey: otherKey, remoteMasterSalt: there }
  const far = { localMasterKey: otherKey, localMasterSalt: there, remoteMasterKey: key, remoteMasterSalt: here }
  return { near: new Srtp(near, profile), far: new Srtp(far, profile) }
}

const rtp = (sequence: number, ssrc = 7) => {
  const extensions = [{ id: 3, data: Uint8Array.of(1, 2) }]
  const payload = Uint8Array.of(9, 8, 7)
  return Buffer.from(
    writeRtp({ marker: true, payloadType: 96, sequence: sequence % 65_536, timestamp: 5, ssrc, extensions, payload }),
  )
}
const report = writeRtcp([{ type: 'pli', sender: 1, media: 1000 }])
/** Sequence numbers around a wrap, as they arrive; what is doubled must arrive once. */
const arrivals = fc
  .tuple(fc.integer({ min: 0, max: 65_535 }), fc.array(fc.integer({ min: 0, max: 100 }), { maxLength: 300 }))
  .map(([first, steps]) => steps.map((back, index) => first + Math.max(0, index - back)))

describe.each(srtpProfiles)('SRTP with profile %i', (profile) => {
  test('gives the packet back byte for byte, header, extensions and padding too', () => {
    const { near, far } = pair(profile)
    for (const packet of [rtp(65_535), rtp(0), rtp(1)]) {
      const sealed = near.protectRtp(packet)!
      expect(sealed.includes(packet.subarray(-3))).toBe(false)
      expect(far.unprotectRtp(sealed)).toEqual(packet)
    }
    // With padding, and an extension in the two-byte form.
    const twoByteForm = Buffer.from('b0600002000000050000000710010001050203040a0b0c00000004', 'hex')
    expect(parseRtp(twoByteForm)).toBeDefined()
    expect(far.unprotectRtp(near.protectRtp(twoByteForm)!)).toEqual(twoByteForm)
  })

  test('takes each packet once, however it was replayed and reordered, across the wrap', () => {
    fc.assert(
      fc.property(arrivals, (order) => {
        const { near, far } = pair(profile)
        const sealed = new Map<number, Buffer>()
        for (let index = order[0] ?? 0; index <= Math.max(0, ...order); index += 1) {
          sealed.set(index, near.protectRtp(rtp(index))!)
        }
        const taken = order.filter((index) => far.unprotectRtp(sealed.get(index)!) !== undefined)
        expect(new Set(taken).size).toBe(taken.length)
        expect(new Set(taken)).toEqual(new Set(order))
      }),
      { numRuns: 30 },
    )
  })

  test('what is sent again after the wrap is under the key stream it was sent under before', () => {
    const { near, far } = pair(profile)
    const first = near.protectRtp(rtp(65_000))!
    for (let index = 65_001; index < 65_700; index += 1) expect(near.protectRtp(rtp(index))).toBeDefined()
    expect(near.protectRtp(rtp(65_000))).toEqual(first)
    const later = near.protectRtp(rtp(65_701))!
    expect(far.unprotectRtp(first)).toBeDefined()
    expect(far.unprotectRtp(later)).toEqual(rtp(65_701))
  })

  test('believes nothing that was changed, cut or made without the key', () => {
    const { near, far } = pair(profile)
    const sealed = near.protectRtp(rtp(5))!
    const sealedReport = near.protectRtcp(report)!
    for (let at = 0; at < sealed.length; at += 1) {
      const changed = Buffer.from(sealed)
      changed[at]! ^= 1
      expect(far.unprotectRtp(changed)).toBeUndefined()
      expect(far.unprotectRtp(sealed.subarray(0, at))).toBeUndefined()
    }
    for (let at = 0; at < sealedReport.length; at += 1) {
      const changed = Buffer.from(sealedReport)
      changed[at]! ^= 1
      expect(far.unprotectRtcp(changed)).toBeUndefined()
      expect(far.unprotectRtcp(sealedReport.subarray(0, at))).toBeUndefined()
    }
    expect(far.unprotectRtp(sealed)).toEqual(rtp(5))
    expect(far.unprotectRtcp(sealedReport)).toEqual(Buffer.from(report))
  })

  test('a packet that cannot be authenticated moves no window', () => {
    const { near, far } = pair(profile)
    expect(far.unprotectRtp(near.protectRtp(rtp(10))!)).toBeDefined()
    const forged = Buffer.concat([rtp(20_000), Buffer.alloc(16)])
    expect(far.unprotectRtp(forged)).toBeUndefined()
    expect(far.unprotectRtp(near.protectRtp(rtp(11))!)).toBeDefined()
  })

  test('takes each report once', () => {
    const { near, far } = pair(profile)
    const reports = Array.from({ length: 100 }, () => near.protectRtcp(report)!)
    const taken = [...reports, ...reports].filter((one) => far.unprotectRtcp(one) !== undefined)
    expect(taken).toEqual(reports)
    expect(far.unprotectRtcp(Buffer.from(report))).toBeUndefined()
  })

  test('keeps apart only so many sources', () => {
    const { near, far } = pair(profile)
    const heard = Array.from({ length: 100 }, (_, ssrc) => far.unprotectRtp(near.protectRtp(rtp(1, ssrc))!))
    expect(heard.filter((packet) => packet !== undefined)).toHaveLength(64)
  })

  test('noise is nothing, and does not throw', () => {
    const { near, far } = pair(profile)
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
        const bytes = Buffer.from(noise)
        expect([far.unprotectRtp(bytes), far.unprotectRtcp(bytes)]).toEqual([undefined, undefined])
        near.protectRtp(bytes)
        near.protectRtcp(bytes)
      }),
    )
  })
})

describe('packet indexes', () => {
  test('a window takes what is new or at most 127 late, once', () => {
    const window = new ReplayWindow()
    window.take(1000)
    expect([872, 873, 999, 1000, 1001, 2 ** 48 - 1].map((index) => window.isNew(index))).toEqual([
      false,
      true,
      true,
      false,
      true,
      true,
    ])
  })

  // RFC 3711 §3.3.1
  test.each([
    [-1, 65_535, 65_535],
    [65_535, 0, 65_536],
    [65_536, 65_535, 65_535],
    [0, 65_535, undefined],
    [10, 9, 9],
    [3 * 65_536 + 5, 65_000, 2 * 65_536 + 65_000],
    [3 * 65_536 + 65_000, 5, 4 * 65_536 + 5],
  ])('after %i, the sequence number %i has the index %s', (highest, sequence, index) => {
    expect(packetIndex(highest, sequence)).toBe(index)
  })
})
