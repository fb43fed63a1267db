/**
 * A bar code of the frame number: 32 blocks of equal width in a strip at the bottom of the picture, white is 1:
 * `1010`, the number (16 bits, most significant first), a CRC-8 of it, `0101`. The blocks are wide enough to survive
 * H.264 and a reduction to some 300 pixels, and a misread one does not pass the checksum.
 */
export const barcodeBlocks = 32
/** Height of the strip as a share of the picture. */
export const barcodeStrip = 40 / 720

/** The blocks of a number (uint16), true is white. */
export function barcodeBits(value: number): boolean[] {
  const bits = [true, false, true, false]
  for (let bit = 15; bit >= 0; bit -= 1) bits.push(((value >> bit) & 1) === 1)
  const crc = barcodeCrc(value)
  for (let bit = 7; bit >= 0; bit -= 1) bits.push(((crc >> bit) & 1) === 1)
  bits.push(false, true, false, true)
  return bits
}

/** CRC-8 with polynomial 0x2F (AUTOSAR's): finds every error of up to three blocks in 16. */
function barcodeCrc(value: number): number {
  let crc = 0xff
  for (const byte of [(value >> 8) & 0xff, value & 0xff]) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 0x80 ? ((crc << 1) ^ 0x2f) & 0xff : (crc << 1) & 0xff
  }
  return crc ^ 0xff
}

/**
 * Reads the number from 32 brightness values (0–255). Undefined where the blocks are no bar code: black and white too
 * close to each other, markers missing, or the checksum wrong.
 */
export function barcodeFromBlocks(blocks: readonly number[]): number | undefined {
  if (blocks.length !== 32) return undefined
  const white = (blocks[0]! + blocks[2]! + blocks[29]! + blocks[31]!) / 4
  const black = (blocks[1]! + blocks[3]! + blocks[28]! + blocks[30]!) / 4
  if (white - black < 60) return undefined
  const bits = blocks.map((value) => (value > (white + black) / 2 ? 1 : 0))
  const marks = [...bits.slice(0, 4), ...bits.slice(28)].join('')
  if (marks !== '10100101') return undefined
  const number = (from: number, to: number) => bits.slice(from, to).reduce<number>((sum, bit) => sum * 2 + bit, 0)
  const value = number(4, 20)
  return number(20, 28) === barcodeCrc(value) ? value : undefined
}

/** A picture of RGBA (4 bytes a pixel) or luma (1 byte a pixel). */
export interface Picture {
  width: number
  height: number
  data: ArrayLike<number>
}

/** Reads the bar code of a whole picture: each block is the mean of its inner part. */
export function readBarcode({ width, height, data }: Picture): number | undefined {
  const step = data.length >= width * height * 4 ? 4 : 1
  const green = step === 4 ? 1 : 0 // the blocks are grey: one channel says it all
  const strip = (height * 40) / 720
  const top = Math.floor(height - strip * 0.7)
  const bottom = Math.max(top + 1, Math.ceil(height - strip * 0.3))
  const blocks: number[] = []
  for (let block = 0; block < 32; block += 1) {
    const left = Math.floor(((block + 0.25) * width) / 32)
    const right = Math.max(left + 1, Math.ceil(((block + 0.75) * width) / 32))
    let sum = 0
    for (let y = top; y < bottom; y += 1) {
      for (let x = left; x < right; x += 1) sum += data[(y * width + x) * step + green]!
    }
    blocks.push(sum / ((bottom - top) * (right - left)))
  }
  return barcodeFromBlocks(blocks)
}

/**
 * The reader as source text for a page: an expression that gives `(source: HTMLVideoElement | HTMLCanvasElement) =>
 * number | undefined`. It draws the strip alone, 320 × 10 pixels, so reading at every frame costs little.
 */
export const barcodeReaderSource = `(() => {
  const barcodeCrc = ${barcodeCrc.toString()}
  const barcodeFromBlocks = ${barcodeFromBlocks.toString()}
  const canvas = document.createElement('canvas')
  canvas.width = 320
  canvas.height = 10
  const context = canvas.getContext('2d', { willReadFrequently: true })
  return (source) => {
    const width = source.videoWidth ?? source.width
    const height = source.videoHeight ?? source.height
    if (!width || !height) return undefined
    const strip = (height * 40) / 720
    context.drawImage(source, 0, height - strip, width, strip, 0, 0, 320, 10)
    const { data } = context.getImageData(0, 3, 320, 4)
    const blocks = []
    for (let block = 0; block < 32; block += 1) {
      let sum = 0
      for (let y = 0; y < 4; y += 1) for (let x = block * 10 + 3; x < block * 10 + 7; x += 1) sum += data[(y * 320 + x) * 4 + 1]
      blocks.push(sum / 16)
    }
    return barcodeFromBlocks(blocks)
  }
})()`
