import { type Block, patchClusters, readClusters, writeClusters } from '@porchlight/proto/media/webm/cluster.ts'
import { readWebmHeader, webmHeader, wholeHeader } from '@porchlight/proto/media/webm/header.ts'
import { recordsOf, writeRecord } from '@porchlight/proto/media/webm/part-record.ts'
import fc from 'fast-check'
import { expect, test } from 'vitest'

const block = { track: 1, timeMs: 5, keyframe: true, reference: true, data: [Uint8Array.of(1, 2, 3)] }
const clusters = writeClusters([block, { ...block, track: 2, timeMs: 9 }, { ...block, timeMs: 40_000 }])
const header = webmHeader({ width: 320, height: 240 }, { codec: 'opus', clockRate: 48_000, channels: 1 })
const record = writeRecord({ v: 1, type: 'file', camera: 'door.front', baseMs: 1 })
const file = Uint8Array.from([...header, ...record, ...clusters])

function readAll(bytes: Uint8Array): void {
  const read = readClusters(bytes)
  if (read) patchClusters(bytes, read, -3, (track) => track === 1)
  readWebmHeader(bytes)
  wholeHeader(bytes, 1_000, 5)
  for (const { start, end } of recordsOf(bytes)) expect(start).toBeLessThan(end)
}

test('any bytes are read without throwing', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => readAll(bytes)))
})

test.each([
  ['cluster', clusters],
  ['header', header],
  ['file', file],
])('a damaged %s is read without throwing', (_, whole) => {
  const change = fc.tuple(fc.nat(whole.length - 1), fc.nat(255))
  fc.assert(
    fc.property(fc.array(change, { maxLength: 8 }), fc.nat(whole.length), (changes, length) => {
      const bytes = Uint8Array.from(whole)
      for (const [at, value] of changes) bytes[at] = value
      readAll(bytes.slice(0, length))
    }),
    { numRuns: 2_000 },
  )
})

test('what is written as clusters is read again, and moves as a whole', () => {
  const some = fc.record({
    track: fc.constantFrom(1, 2),
    timeMs: fc.nat(200_000),
    keyframe: fc.boolean(),
    reference: fc.boolean(),
    data: fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 3 }),
  })
  fc.assert(
    fc.property(fc.array(some, { minLength: 1, maxLength: 40 }), fc.nat(2 ** 45), (blocks: Block[], shiftMs) => {
      const bytes = writeClusters(blocks)
      patchClusters(bytes, readClusters(bytes)!, shiftMs, () => true)
      const read = readClusters(bytes)!.flatMap((cluster) => cluster.blocks)
      const seen = read.map(({ track, timeMs, keyframe, at, end }) => [track, timeMs, keyframe, bytes.slice(at, end)])
      const sent = blocks
        .toSorted((a, b) => a.timeMs - b.timeMs)
        .map(({ track, timeMs, keyframe, data }) => [
          track,
          timeMs + shiftMs,
          keyframe,
          new Uint8Array(Buffer.concat(data)),
        ])
      expect(seen).toEqual(sent)
    }),
  )
})
