import { once } from 'node:events'
import { duplexPair } from 'node:stream'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { ByteGuard } from '../../../../gateway/broker/byte-guard.ts'
import type { Refusal } from '../../../../gateway/broker/packet-scanner.ts'

afterEach(() => {
  vi.useRealTimers()
})

const connectPacket = Buffer.from([0x10, 3, 1, 2, 3])
const ping = Buffer.from([0xc0, 0])

function setUp() {
  const [peer, socket] = duplexPair()
  const refusals: Refusal[] = []
  let admissions = 0
  const guard = new ByteGuard(
    socket,
    { connectBytes: 100, packetBytes: 1_000, admitMs: 5_000 },
    {
      refused: (reason) => refusals.push(reason),
      admitted: () => {
        admissions += 1
      },
    },
  )
  const received: Buffer[] = []
  guard.on('data', (chunk: Buffer) => received.push(chunk))
  guard.on('error', () => undefined)
  peer.on('error', () => undefined)
  peer.resume()
  return { peer, guard, refusals, admissions: () => admissions, received: () => Buffer.concat(received) }
}

describe('ByteGuard', () => {
  it('lets one CONNECT through and holds the rest until admission', async () => {
    const { peer, guard, received, admissions } = setUp()
    peer.write(Buffer.concat([connectPacket, ping]))
    peer.write(ping)
    await once(guard, 'data')
    expect(received()).toEqual(connectPacket)
    guard.admit()
    guard.admit()
    await vi.waitFor(() => expect(received()).toEqual(Buffer.concat([connectPacket, ping, ping])))
    expect(admissions()).toBe(1)
  })

  it('takes bytes one at a time', async () => {
    const { peer, guard, received } = setUp()
    guard.admit()
    const all = Buffer.concat([connectPacket, ping, Buffer.from([0x30, 0x81, 0x01]), Buffer.alloc(129, 7), ping])
    for (const byte of all) peer.write(Buffer.from([byte]))
    await vi.waitFor(() => expect(received()).toEqual(all))
  })

  it.each<[Refusal, number[]]>([
    ['not-connect', [0x30, 0]],
    ['too-large', [0x10, 0xe5, 0x00]],
    ['too-large', [0x10, 0xff, 0xff, 0xff, 0x7f]],
    ['length', [0x10, 0x80, 0x80, 0x80, 0x80]],
  ])('cuts %s before anything is passed on', async (reason, bytes) => {
    const { peer, guard, refusals, received } = setUp()
    peer.write(Buffer.from(bytes))
    await once(guard, 'close')
    expect(refusals).toEqual([reason])
    expect(received()).toHaveLength(0)
  })

  it.each<[Refusal, number[]]>([
    ['second-connect', [0x10, 0]],
    ['packet-type', [0x20, 0]],
    ['packet-type', [0xf0, 0]],
    ['too-large', [0x30, 0xe9, 0x07]],
  ])('cuts %s after admission', async (reason, bytes) => {
    const { peer, guard, refusals } = setUp()
    guard.admit()
    peer.write(connectPacket)
    peer.write(Buffer.from(bytes))
    await once(guard, 'close')
    expect(refusals).toEqual([reason])
  })

  it('cuts who is not admitted in time', async () => {
    vi.useFakeTimers()
    const { guard, refusals } = setUp()
    await vi.advanceTimersByTimeAsync(4_999)
    expect(guard.destroyed).toBe(false)
    await vi.advanceTimersByTimeAsync(1)
    expect(guard.destroyed).toBe(true)
    expect(refusals).toEqual(['slow'])
  })

  it('does not read on from a peer that floods before admission', async () => {
    const { peer, guard } = setUp()
    peer.write(connectPacket)
    await once(guard, 'data')
    let accepted = 0
    while (accepted < 100 && peer.write(Buffer.alloc(16_384))) accepted += 1
    expect(accepted).toBeLessThan(10)
  })

  it('hands the end of the peer on', async () => {
    const { peer, guard } = setUp()
    guard.admit()
    peer.end(connectPacket)
    await once(guard, 'end')
  })
})
