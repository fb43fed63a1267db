import { PorchlightError } from '@porchlight/proto/errors.ts'
import { encodeFootageHeader, encodeFootageUnit, FootageDecoder } from '@porchlight/proto/footage.ts'
import fc from 'fast-check'
import { expect, test } from 'vitest'

const whole = Buffer.concat([
  encodeFootageHeader({ run: 'boot-0001', video: { codec: 'h264', width: 1, height: 1 } }),
  encodeFootageUnit({
    ...{ codec: 'h264', frame: 1, captureMs: 1, keyframe: true, reference: true },
    data: [Uint8Array.of(0x65, 1, 2, 3), Uint8Array.of(0x41)],
  }),
])

function read(bytes: Uint8Array): string {
  const sink = { header: () => undefined, unit: () => undefined, audio: () => undefined }
  const decoder = new FootageDecoder(sink)
  try {
    decoder.push(bytes)
    decoder.end()
    return 'read'
  } catch (error) {
    if (error instanceof PorchlightError) return error.code
    throw error
  }
}

test('any bytes are read or refused with a code', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => void read(bytes)))
})

test('a damaged delivery is read or refused with a code', () => {
  const change = fc.tuple(fc.nat(whole.length - 1), fc.nat(255))
  fc.assert(
    fc.property(fc.array(change, { maxLength: 6 }), fc.nat(whole.length), (changes, length) => {
      const bytes = Uint8Array.from(whole)
      for (const [at, value] of changes) bytes[at] = value
      expect(['read', 'footage_invalid']).toContain(read(bytes.subarray(0, length)))
    }),
    { numRuns: 1_000 },
  )
})
