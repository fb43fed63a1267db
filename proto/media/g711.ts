/** ITU-T G.711: 8-bit logarithmic sound, 8000 samples a second, to 16-bit linear samples. */

/** Linear value of each PCMU (µ-law) byte. */
export const ulawValues: Int16Array = Int16Array.from({ length: 256 }, (_, byte) => {
  const code = ~byte & 0xff
  const magnitude = ((((code & 0x0f) << 3) + 0x84) << ((code >> 4) & 7)) - 0x84
  return code & 0x80 ? -magnitude : magnitude
})

/** Linear value of each PCMA (A-law) byte. */
export const alawValues: Int16Array = Int16Array.from({ length: 256 }, (_, byte) => {
  const code = byte ^ 0x55
  const exponent = (code >> 4) & 7
  const mantissa = ((code & 0x0f) << 4) + 8
  const magnitude = exponent === 0 ? mantissa : (mantissa + 0x100) << (exponent - 1)
  return code & 0x80 ? magnitude : -magnitude
})

/** @returns 16-bit little-endian samples */
export function decodeG711(codec: 'pcmu' | 'pcma', data: Uint8Array): Uint8Array {
  const values = codec === 'pcmu' ? ulawValues : alawValues
  const pcm = new Uint8Array(data.length * 2)
  for (let index = 0; index < data.length; index++) {
    const value = values[data[index]!]!
    pcm[index * 2] = value
    pcm[index * 2 + 1] = value >> 8
  }
  return pcm
}
