import type { AudioFormat } from '@porchlight/proto/media/access-unit.ts'
import { type Block, patchClusters, readClusters, writeClusters } from '@porchlight/proto/media/webm/cluster.ts'
import { elementAt, walk } from '@porchlight/proto/media/webm/ebml.ts'
import { isWebm, readWebmHeader, segmentOf, webmHeader, wholeHeader } from '@porchlight/proto/media/webm/header.ts'
import { recordsOf, writeRecord } from '@porchlight/proto/media/webm/part-record.ts'
import { expect, test } from 'vitest'

const size = { width: 640, height: 480 }
const opus: AudioFormat = { codec: 'opus', clockRate: 48_000, channels: 2 }
const block = (timeMs: number, more: Partial<Block> = {}): Block => ({
  ...{ track: 1, timeMs, keyframe: false, reference: true, data: [Uint8Array.of(1), Uint8Array.of(2, 3)] },
  ...more,
})
const read = (bytes: Uint8Array) =>
  readClusters(bytes)?.map(({ timeMs, blocks }) => [timeMs, ...blocks.map((one) => [one.track, one.timeMs])])

test('a header says its sound; as that of a whole file it has the same size, a duration and an end', () => {
  const header = webmHeader(size, opus)
  expect(isWebm(header)).toBe(true)
  expect(readWebmHeader(header)).toEqual({ audio: opus })
  expect(readWebmHeader(webmHeader(size, undefined))).toEqual({ audio: undefined })
  expect(segmentOf(header)?.end).toBe(header.length)
  const whole = wholeHeader(header, 1_500, 10)!
  expect(whole).toHaveLength(header.length)
  expect(segmentOf(Uint8Array.from([...whole, ...new Uint8Array(20)]))?.end).toBe(header.length + 10)
  expect(Buffer.from(whole).includes(Buffer.from('4489884097700000000000', 'hex'))).toBe(true)
  expect(wholeHeader(header.subarray(10), 1_500, 10)).toBeUndefined()
})

test('a size that is all ones says that it is not known (RFC 8794 §6.2), so 127 bytes take a size of two', () => {
  expect([...writeRecordOf(126).subarray(0, 2)]).toEqual([0xec, 0xfe])
  expect([...writeRecordOf(127).subarray(0, 3)]).toEqual([0xec, 0x40, 0x7f])
})

/** A record with a body of that many bytes. */
function writeRecordOf(bytes: number): Uint8Array {
  const short = writeRecord({ v: 1, type: 'file', camera: 'a.b', baseMs: 0 })
  const { body, end } = elementAt(short, 0)!
  return writeRecord({ v: 1, type: 'file', camera: `a.${'b'.repeat(1 + bytes - (end - body))}`, baseMs: 0 })
}

test('blocks stand in the order of their times, in one cluster as long as 16 bits hold them (RFC 9559 §10.2)', () => {
  const near = [block(5_000, { keyframe: true }), block(5_040), block(4_990, { track: 2 })]
  expect(read(writeClusters(near))).toEqual([[4_990, [2, 4_990], [1, 5_000], [1, 5_040]]])
  expect(read(writeClusters([block(0), block(32_767), block(32_768)]))).toEqual([
    [0, [1, 0], [1, 32_767]],
    [32_768, [1, 32_768]],
  ])
})

test('clusters are moved, and a track taken out of them, where they stand', () => {
  const bytes = writeClusters([block(100, { keyframe: true }), block(110, { track: 2 }), block(140)])
  const before = bytes.length
  patchClusters(bytes, readClusters(bytes)!, 2 ** 40, (track) => track === 1)
  expect(bytes).toHaveLength(before)
  expect(read(bytes)).toEqual([[2 ** 40 + 100, [1, 2 ** 40 + 100], [1, 2 ** 40 + 140]]])
  patchClusters(bytes, readClusters(bytes)!, -(2 ** 50), () => true)
  expect(read(bytes)?.[0]?.[0]).toBe(0)
})

test('clusters that are cut off, or followed by something else, are none of ours', () => {
  const bytes = writeClusters([block(0), block(40)])
  for (let length = 0; length < bytes.length; length += 1)
    expect(readClusters(bytes.subarray(0, length))).toBeUndefined()
  expect(readClusters(Uint8Array.from([...bytes, 0xec, 0x80]))).toBeUndefined()
})

test('records are found between clusters, up to where the file was cut off', () => {
  const record = { v: 1, type: 'file', camera: 'door.front', baseMs: 7 } as const
  const file = Buffer.concat([webmHeader(size, opus), writeRecord(record), writeClusters([block(0)])])
  const end = file.length
  const whole = Buffer.concat([file, writeRecord({ ...record, baseMs: 8 })])
  expect([...recordsOf(whole)].map((placed) => placed.record)).toEqual([record, { ...record, baseMs: 8 }])
  expect([...recordsOf(whole)][1]).toMatchObject({ start: end, end: whole.length })
  expect([...recordsOf(whole.subarray(0, whole.length - 1))]).toHaveLength(1)
  expect([...walk(whole, segmentOf(whole)!.body, whole.length)].map(({ id }) => id.toString(16))).toEqual([
    ...['1549a966', '1654ae6b', 'ec', '1f43b675', 'ec'],
  ])
})
