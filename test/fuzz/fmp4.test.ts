import type { AccessUnit, AudioFormat } from '@porchlight/proto/media/access-unit.ts'
import { walk } from '@porchlight/proto/media/fmp4/boxes.ts'
import { patchFragment, readFragment, writeFragment } from '@porchlight/proto/media/fmp4/fragment.ts'
import { initSegment, readInit, withDuration } from '@porchlight/proto/media/fmp4/init-segment.ts'
import { readRecord, writeRecord } from '@porchlight/proto/media/fmp4/part-record.ts'
import { videoEntry } from '@porchlight/proto/media/fmp4/video-entry.ts'
import fc from 'fast-check'
import { expect, test } from 'vitest'

const sample = { duration: 3_600, offset: 0, keyframe: true, reference: true, data: [Uint8Array.of(1, 2, 3)] }
const fragment = writeFragment(1, [
  { track: 1, baseTime: 0, samples: [sample, { ...sample, keyframe: false }] },
  { track: 2, baseTime: 0, samples: [sample] },
])
const record = writeRecord({ v: 1, type: 'file', camera: 'door.front', baseMs: 1 })
const audio: AudioFormat = { codec: 'opus', clockRate: 48_000, channels: 1 }
const init = initSegment({ width: 1, height: 1, entry: Uint8Array.of(0, 0, 0, 8, 0x61, 0x76, 0x63, 0x31) }, audio)

function readAll(bytes: Uint8Array): void {
  const read = readFragment(bytes)
  if (read) patchFragment(bytes, read, 2, (track) => (track === 1 ? 5 : undefined))
  for (const place of walk(bytes)) readRecord(bytes, place)
  readInit(bytes)
  withDuration(bytes, 1_000)
}

test('any bytes are read without throwing', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => readAll(bytes)))
})

test.each([
  ['fragment', fragment],
  ['record', record],
  ['init segment', init],
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

test('any keyframe gives a sample entry or none', () => {
  const codecs: AccessUnit['codec'][] = ['h264', 'h265', 'vp8', 'vp9', 'av1']
  const heads = [[0x67, 0x42], [0x68], [0x40, 1], [0x42, 1, 1], [0x44, 1], [0x82, 0x49, 0x83, 0x42], [0x0a, 0x0b]]
  const nal = fc
    .tuple(fc.constantFrom(...heads), fc.uint8Array({ minLength: 1, maxLength: 60 }))
    .map(([head, rest]) => Uint8Array.from([...head, ...rest]))
  fc.assert(
    fc.property(fc.constantFrom(...codecs), fc.array(nal, { minLength: 1, maxLength: 5 }), (codec, data) => {
      const unit: AccessUnit = { codec, frame: 0, captureMs: 0, keyframe: true, reference: true, data }
      const entry = videoEntry(unit)
      if (entry) expect(entry.entry.length).toBeGreaterThan(86)
    }),
    { numRuns: 2_000 },
  )
})
