/** ITU-T G.711, byte ↔ 16-bit linear sample. */
const bias = 0x84

export function encodeMuLaw(sample: number): number {
  const sign = sample < 0 ? 0x80 : 0
  const magnitude = Math.min(Math.abs(sample), 32_635) + bias
  const exponent = Math.max(0, Math.floor(Math.log2(magnitude)) - 7)
  return ~(sign | (exponent << 4) | ((magnitude >> (exponent + 3)) & 0x0f)) & 0xff
}

export function decodeMuLaw(byte: number): number {
  const code = ~byte & 0xff
  const exponent = (code >> 4) & 7
  const magnitude = ((((code & 0x0f) << 3) + bias) << exponent) - bias
  return code & 0x80 ? 0 - magnitude : magnitude
}

export function encodeALaw(sample: number): number {
  const sign = sample >= 0 ? 0x80 : 0
  const magnitude = Math.min(sample >= 0 ? sample : -sample - 1, 32_767) >> 4
  const exponent = magnitude < 16 ? 0 : Math.floor(Math.log2(magnitude)) - 3
  const mantissa = exponent === 0 ? magnitude & 0x0f : (magnitude >> (exponent - 1)) & 0x0f
  return (sign | (exponent << 4) | mantissa) ^ 0x55
}

export function decodeALaw(byte: number): number {
  const code = byte ^ 0x55
  const exponent = (code >> 4) & 7
  const mantissa = ((code & 0x0f) << 4) + 8
  const magnitude = exponent === 0 ? mantissa : (mantissa + 0x100) << (exponent - 1)
  return code & 0x80 ? magnitude : -magnitude
}
