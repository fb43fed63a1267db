import { describe, expect, test } from 'vitest'
import { decodeALaw, decodeMuLaw, encodeALaw, encodeMuLaw } from '../../support/g711.ts'
import { seeded } from '../../support/random.ts'
import { dominantTone, sine } from '../../support/tone.ts'
import { fromWav, toWav } from '../../support/wav.ts'

describe('G.711', () => {
  test.each([
    ['mu-law', encodeMuLaw, decodeMuLaw],
    ['A-law', encodeALaw, decodeALaw],
  ] as const)('%s: every byte survives decoding and encoding, and silence stays silent', (_, encode, decode) => {
    for (let byte = 0; byte < 256; byte += 1) expect(decode(encode(decode(byte)))).toBe(decode(byte))
    expect(Math.abs(decode(encode(0)))).toBeLessThanOrEqual(8)
    for (const sample of [-32_768, -1000, 1000, 32_767]) {
      expect(Math.abs(decode(encode(sample)) - sample)).toBeLessThan(Math.abs(sample) / 16 + 16)
    }
  })

  test('known values of ITU-T G.711', () => {
    expect(decodeMuLaw(0xff)).toBe(0)
    expect(decodeMuLaw(0x80)).toBe(32_124)
    expect(decodeMuLaw(0x00)).toBe(-32_124)
    expect(decodeALaw(0xd5)).toBe(8)
    expect(decodeALaw(0xaa)).toBe(32_256)
  })
})

describe('tone', () => {
  test.each([
    [440, 8000],
    [1000, 48_000],
    [660.5, 16_000],
  ])('%d Hz at %d samples/s is measured to 1 Hz', (frequency, rate) => {
    const tone = dominantTone(sine(frequency, rate, rate), rate)
    expect(tone?.frequency).toBeCloseTo(frequency, -0.3)
    expect(tone?.purity).toBeGreaterThan(0.95)
  })

  test('silence and too little sound have none; noise is not pure', () => {
    expect(dominantTone(new Int16Array(8000), 8000)).toBeUndefined()
    expect(dominantTone(sine(440, 8000, 100), 8000)).toBeUndefined()
    const random = seeded(1)
    const noise = Int16Array.from({ length: 8000 }, () => (random() - 0.5) * 20_000)
    expect(dominantTone(noise, 8000)?.purity).toBeLessThan(0.1)
  })
})

test('a WAV file gives back its samples, and one with unknown length what is there', () => {
  const samples = sine(440, 8000, 1000)
  const wav = toWav(samples, 8000)
  expect(fromWav(wav)).toEqual({ samples, sampleRate: 8000 })
  wav.writeUInt32LE(0xffffffff, 40)
  expect(fromWav(wav).samples).toEqual(samples)
  expect(() => fromWav(Buffer.from('RIFF....AVI '))).toThrow(/no WAV/)
})
