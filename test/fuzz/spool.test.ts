import { mkdtemp, open, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PorchlightError } from '@porchlight/proto/errors.ts'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { FootageBody, spanOf } from '../../device/footage/footage-body.ts'
import { FrameRanges } from '../../device/footage/ranges.ts'
import { readSpoolName, writeSpoolName } from '../../device/footage/spool-name.ts'
import { SpoolBody, scanSpoolFile } from '../../device/footage/spool-scan.ts'
import { decodeFootage } from '../support/footage-receiver.ts'
import { numbers, pictures, sound } from '../unit/device/frames.ts'

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'porchlight-spool-'))
})
afterAll(() => rm(directory, { recursive: true, force: true }))

const span = {
  videoFormat: { codec: 'h264', width: 1, height: 1 } as const,
  audioFormat: { codec: 'pcmu', clockRate: 8_000, channels: 1 } as const,
  units: pictures({ count: 12, bytes: 20 }),
  audio: sound(24),
}
const whole = new FootageBody('boot-0001', span).read(0, 1 << 20)!.bytes

/** What a scan of these bytes finds, and the body that it would deliver, read in pieces. */
async function scan(bytes: Uint8Array, only?: FrameRanges, pieceBytes = 97) {
  const path = join(directory, 'file')
  await writeFile(path, bytes)
  await using file = await open(path, 'r')
  const found = await scanSpoolFile(file, only)
  const body = new SpoolBody(file, found.segments)
  const parts: Uint8Array[] = []
  for (let at = 0, piece = await body.read(0, pieceBytes); piece; piece = await body.read(at, pieceBytes)) {
    parts.push(piece.bytes)
    at += piece.bytes.byteLength
    if (piece.last) break
  }
  return { ...found, body: Buffer.concat(parts) }
}

test('a file of the spool that is cut off is delivered to its last whole record', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(whole.length), async (length) => {
      try {
        const found = await scan(whole.subarray(0, length))
        const delivered = decodeFootage(found.body)
        expect(delivered.units).toEqual(numbers(span.units).slice(0, delivered.units.length))
        expect(found.ranges).toEqual(delivered.units.length === 0 ? [] : [[0, delivered.units.length - 1]])
        expect(found.whole || length < whole.length).toBe(true)
      } catch (error) {
        if (!(error instanceof PorchlightError)) throw error
        expect(error.code).toBe('spool_unreadable')
      }
    }),
    { numRuns: 200 },
  )
})

test('an altered file of the spool is read or refused with its code', async () => {
  const change = fc.tuple(fc.nat(whole.length - 1), fc.nat(255))
  await fc.assert(
    fc.asyncProperty(fc.array(change, { maxLength: 6 }), async (changes) => {
      const bytes = Uint8Array.from(whole)
      for (const [at, value] of changes) bytes[at] = value
      try {
        const found = await scan(bytes)
        expect(found.body.length).toBeLessThanOrEqual(bytes.length)
      } catch (error) {
        if (!(error instanceof PorchlightError)) throw error
        expect(error.code).toBe('spool_unreadable')
      }
    }),
    { numRuns: 300 },
  )
})

test('a part of a file is the wanted pictures, and the same from memory', async () => {
  const ranges = fc.array(fc.tuple(fc.nat(12), fc.nat(4)), { minLength: 1, maxLength: 4 })
  await fc.assert(
    fc.asyncProperty(ranges, fc.integer({ min: 1, max: 400 }), async (wanted, pieceBytes) => {
      const only = FrameRanges.of(wanted.map(([from, more]) => [from, from + more]))
      const found = await scan(whole, only, pieceBytes)
      const { units } = decodeFootage(found.body)
      expect(units).toEqual(numbers(span.units).filter((frame) => only.has(frame)))
      const kept = new FootageBody('boot-0001', spanOf(span, only)).read(0, 1 << 20)!
      expect(Buffer.compare(found.body, kept.bytes)).toBe(0)
    }),
    { numRuns: 150 },
  )
})

test('any file name is read or passed over, and ours come back as they were', () => {
  fc.assert(fc.property(fc.string({ maxLength: 120 }), (text) => void readSpoolName(text)))
  const name = fc.record({
    sinceMs: fc.nat(2 ** 42),
    run: fc.stringMatching(/^[A-Za-z0-9_-]{8,64}$/),
    from: fc.nat(1_000),
    to: fc.integer({ min: 1_000, max: 2 ** 31 }),
    id: fc.stringMatching(/^[A-Za-z0-9_-]{8,64}$/),
  })
  fc.assert(fc.property(name, (one) => void expect(readSpoolName(writeSpoolName(one))).toEqual(one)))
})
