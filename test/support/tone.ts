/** What frequency a sound has, measured. */
export interface Tone {
  /** Hz. */
  frequency: number
  /** Share of the sound's power that lies in this tone, 0…1. */
  purity: number
  /** Root mean square of all samples, 0…32767. */
  loudness: number
}

/** Samples of a sine, 16 bits; `phase` in samples from its beginning. */
export function sine(
  frequency: number,
  sampleRate: number,
  samples: number,
  amplitude = 12_000,
  phase = 0,
): Int16Array {
  return Int16Array.from({ length: samples }, (_, index) =>
    Math.round(amplitude * Math.sin((2 * Math.PI * frequency * (index + phase)) / sampleRate)),
  )
}

/**
 * The strongest frequency of a sound, to about ± 1 Hz: a Hann-windowed Fourier transform of the last 2^n samples (at
 * most 32768) with its peak interpolated. Undefined for less than 512 samples or for silence (loudness < 30).
 */
export function dominantTone(samples: Int16Array, sampleRate: number): Tone | undefined {
  if (samples.length < 512) return undefined
  const size = 2 ** Math.min(15, Math.floor(Math.log2(samples.length)))
  const part = samples.subarray(samples.length - size)
  const loudness = Math.sqrt(part.reduce((sum, sample) => sum + sample * sample, 0) / size)
  if (loudness < 30) return undefined
  const real = Float64Array.from(part, (sample, index) => sample * (0.5 - 0.5 * Math.cos((2 * Math.PI * index) / size)))
  const imaginary = new Float64Array(size)
  fft(real, imaginary)
  const power = Float64Array.from({ length: size / 2 }, (_, bin) => real[bin]! ** 2 + imaginary[bin]! ** 2)
  let peak = 2
  for (let bin = 2; bin < power.length - 1; bin += 1) if (power[bin]! > power[peak]!) peak = bin
  const [left, middle, right] = [power[peak - 1]!, power[peak]!, power[peak + 1]!].map((value) =>
    Math.log(value + 1e-9),
  )
  const shift = (0.5 * (left! - right!)) / (left! - 2 * middle! + right! || 1)
  const width = 3
  const total = power.subarray(1).reduce((sum, value) => sum + value, 0)
  const near = power.subarray(Math.max(1, peak - width), peak + width + 1).reduce((sum, value) => sum + value, 0)
  return { frequency: ((peak + shift) * sampleRate) / size, purity: near / total, loudness }
}

/** Cooley–Tukey, in place; the length is a power of two. */
function fft(real: Float64Array, imaginary: Float64Array): void {
  const size = real.length
  for (let index = 1, mirror = 0; index < size; index += 1) {
    let bit = size >> 1
    for (; mirror & bit; bit >>= 1) mirror ^= bit
    mirror ^= bit
    if (index < mirror) {
      ;[real[index], real[mirror]] = [real[mirror]!, real[index]!]
      ;[imaginary[index], imaginary[mirror]] = [imaginary[mirror]!, imaginary[index]!]
    }
  }
  for (let length = 2; length <= size; length *= 2) {
    const angle = (-2 * Math.PI) / length
    for (let start = 0; start < size; start += length) {
      for (let index = 0; index < length / 2; index += 1) {
        const cos = Math.cos(angle * index)
        const sin = Math.sin(angle * index)
        const even = start + index
        const odd = even + length / 2
        const oddReal = real[odd]! * cos - imaginary[odd]! * sin
        const oddImaginary = real[odd]! * sin + imaginary[odd]! * cos
        real[odd] = real[even]! - oddReal
        imaginary[odd] = imaginary[even]! - oddImaginary
        real[even]! += oddReal
        imaginary[even]! += oddImaginary
      }
    }
  }
}
