import { alawValues, decodeG711, ulawValues } from '@porchlight/proto/media/g711.ts'
import { expect, test } from 'vitest'
import { encodeALaw, encodeMuLaw } from '../../../support/g711.ts'

test('values of ITU-T G.711', () => {
  expect([ulawValues[0xff], ulawValues[0x7f], ulawValues[0x80], ulawValues[0x00]].map((value) => value! + 0)).toEqual([
    0, 0, 32_124, -32_124,
  ])
  expect([alawValues[0xd5], alawValues[0x55], alawValues[0xaa], alawValues[0x2a]]).toEqual([8, -8, 32_256, -32_256])
})

test('every value is coded as the byte it came from', () => {
  for (let byte = 0; byte < 256; byte++) {
    expect(encodeALaw(alawValues[byte]!)).toBe(byte)
    if (byte !== 0x7f) expect(encodeMuLaw(ulawValues[byte]!)).toBe(byte) // two zeros
  }
})

test('decoding gives 16-bit little-endian samples', () => {
  const pcm = decodeG711('pcmu', Uint8Array.of(0x80, 0x00, 0xff))
  expect([...new Int16Array(pcm.buffer)]).toEqual([32_124, -32_124, 0])
})
