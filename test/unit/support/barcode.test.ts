import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { barcodeBits, barcodeFromBlocks, barcodeReaderSource, readBarcode } from '../../support/barcode.ts'

const number = fc.integer({ min: 0, max: 0xffff })

/** A grey picture with the strip at its bottom, each block `factor` pixels wide. */
function picture(value: number, factor: number, white = 255, black = 0) {
  const [width, height] = [32 * factor, 18 * factor]
  const bits = barcodeBits(value)
  const data = new Uint8Array(width * height).fill(128)
  const top = Math.round(height - (height * 40) / 720)
  for (let y = top; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) data[y * width + x] = bits[Math.floor(x / factor)] ? white : black
  }
  return { width, height, data }
}

describe('bar code', () => {
  test('every number is read back, also in a small and pale picture', () => {
    fc.assert(
      fc.property(number, fc.integer({ min: 9, max: 40 }), (value, factor) => {
        expect(readBarcode(picture(value, factor, 180, 70))).toBe(value)
      }),
      { numRuns: 60 },
    )
  })

  test('RGBA is read like luma', () => {
    const grey = picture(4711, 10)
    const data = new Uint8Array(grey.data.length * 4)
    for (const [index, value] of grey.data.entries()) data.fill(value, index * 4, index * 4 + 3)
    expect(readBarcode({ ...grey, data })).toBe(4711)
  })

  test('up to three wrong blocks are never taken for a number', () => {
    const places = fc.uniqueArray(fc.integer({ min: 4, max: 27 }), { minLength: 1, maxLength: 3 })
    fc.assert(
      fc.property(number, places, (value, wrong) => {
        const blocks = barcodeBits(value).map((bit, index) => (bit !== wrong.includes(index) ? 255 : 0))
        expect(barcodeFromBlocks(blocks)).toBeUndefined()
      }),
    )
  })

  test('a grey or empty strip is no bar code', () => {
    expect(barcodeFromBlocks(new Array<number>(32).fill(128))).toBeUndefined()
    expect(barcodeFromBlocks([])).toBeUndefined()
  })

  test('the reader for pages stands on its own and reads the same', () => {
    const bits = barcodeBits(31_337)
    const context = {
      drawImage() {},
      getImageData() {
        const data = new Uint8Array(320 * 4 * 4)
        for (let at = 0; at < data.length; at += 1)
          data[at] = bits[Math.floor((Math.floor(at / 4) % 320) / 10)] ? 250 : 6
        return { data }
      },
    }
    const document = { createElement: () => ({ getContext: () => context }) }
    const read = new Function('document', `return ${barcodeReaderSource}`)(document)
    expect(read({ videoWidth: 1280, videoHeight: 720 })).toBe(31_337)
    expect(read({ videoWidth: 0, videoHeight: 0 })).toBeUndefined()
  })
})
