import { expect, test } from 'vitest'
import { type MediaPacket, makeWire, PacketRing } from '../../../../gateway/sfu/packet-ring.ts'
import { SentHistory } from '../../../../gateway/sfu/sent-history.ts'

/** A line of so many packets a second, of which the newest are kept; each is sent under its own number. */
function line(perSecond: number, seconds: number) {
  const ring = new PacketRing(8_192)
  const history = new SentHistory()
  const count = perSecond * seconds
  for (let ext = 0; ext < count; ext++) {
    const nowMs = (ext * 1_000) / perSecond
    const packet: MediaPacket = {
      ...{ ext, timestamp: ext, marker: true, keyframe: false, droppable: false, frame: undefined },
      ...{ captureMs: undefined, arrivalMs: nowMs, ...makeWire(Uint8Array.of(1)) },
    }
    ring.put(packet)
    history.note(ext & 0xffff, ext, ext * 10, (ext * 2) & 0xffff, nowMs)
  }
  const again = (ext: number) => history.again(ext & 0xffff, ring, seconds * 1_000 + 20)
  return { history, ring, again, last: count - 1 }
}

test.each([
  ['sound', 50],
  ['2 Mbit/s', 250],
  ['40 Mbit/s', 4_000],
])('what was sent within the last second can be sent again: %s', (_, perSecond) => {
  const { again, last } = line(perSecond, 30)
  for (const back of [0, 1, Math.floor(perSecond / 2), perSecond - 1]) {
    const ext = last - back
    expect(again(ext)).toMatchObject({ packet: { ext }, timestamp: ext * 10, transport: (ext * 2) & 0xffff })
  }
})

test('what is asked for twice in a moment is sent once; what was never sent, or before another line began, not at all', () => {
  const { history, ring, again, last } = line(50, 2)
  expect(again(last)).toBeDefined()
  expect(again(last)).toBeUndefined()
  expect(again(last + 1)).toBeUndefined()
  history.skipped(last - 1)
  expect(again(last - 1)).toBeUndefined()
  history.clear()
  expect(history.again(last - 2, ring, 10_000)).toBeUndefined()
})
