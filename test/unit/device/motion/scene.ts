import type { LumaFrame } from '../../../../device/motion/motion-model.ts'

export const width = 80
export const height = 45

/** A repeatable noise, −1…1. */
export function noise(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 31 - 1
  }
}

export interface Painting {
  atS: number
  /** Light of the whole picture: 1 is the usual one. */
  gain?: number
  /** ± levels of noise. */
  grain?: number
  /** Somebody: left edge in pixels; 7 × 20 pixels, `dark` levels. */
  personAt?: number
  dark?: number
}

/** A wall above a floor with a door in it. */
export function paint({ atS, gain = 1, grain = 3, personAt, dark = 40 }: Painting): LumaFrame {
  const random = noise(Math.round(atS * 1000) + 1)
  const data = new Uint8Array(width * height)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let value = y > 30 ? 90 + (x % 7) : 170
      if (x > 55 && x < 65 && y > 7 && y <= 30) value = 110
      if (personAt !== undefined && x >= personAt && x < personAt + 7 && y >= 15 && y < 35) value = dark
      data[y * width + x] = Math.max(0, Math.min(255, Math.round(value * gain + random() * grain)))
    }
  }
  return { width, height, data, captureMs: atS * 1000 }
}
