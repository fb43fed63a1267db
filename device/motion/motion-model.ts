/** A small grey picture: luma only, `width` × `height` bytes. */
export interface LumaFrame {
  width: number
  height: number
  data: Uint8Array
  /** ms since the Unix epoch. */
  captureMs: number
}

/** What the model sees in one frame. */
export interface Sight {
  /** Something is there that does not belong to the background. */
  present: boolean
  /** Share of blocks that differ, 0…1. */
  area: number
  /** The light of the whole picture changed; the frame says nothing about motion. */
  lightChange: boolean
}

/** Times in s, levels in steps of 0…255. */
export const modelDefaults = {
  /** The background is learned for so long before anything is reported. */
  learnS: 1.5,
  /** How fast the background follows where nothing is, … */
  followS: 6,
  /** … where something faint is (a shadow, what the camera's exposure does), … */
  faintS: 20,
  /** … and where something is, in levels per s, however much it differs: who stands still for minutes stays seen. */
  absorbPerS: 0.15,
  /** What keeps differing counts as restless, by so many levels per s: leaves in the wind go quiet after minutes. */
  restlessPerS: 0.05,
  /** What is perfectly still for so long (a parked car, a moved chair) becomes background. */
  stillS: 90,
  /** A value that changed less from frame to frame is still. */
  stillStep: 8,
  /** Least difference that counts fully, at sensitivity 0 and 1; half of it is faint. */
  thresholdDull: 44,
  thresholdKeen: 16,
  /** Difference in multiples of a pixel's usual restlessness. */
  noiseFactor: 4,
  /** Pixels of a block. */
  block: 4,
  /** Blocks that must hang together, as share of the picture, to begin and to go on. */
  beginArea: 0.006,
  stayArea: 0.003,
  /** Share of those that must differ fully. */
  strongShare: 0.3,
  /** More than this much changed from one frame to the next is the light, not a person. */
  lightArea: 0.7,
} as const

/**
 * Adaptive background: a mean and a usual deviation per pixel, followed quickly where nothing is and slowly where
 * something is; changes of the whole light are taken out first. What counts is the largest group of blocks that differ
 * and partly differ much (two thresholds). Pure: frames in, decision out, time from the frames.
 */
export class MotionModel {
  readonly #threshold: number
  #width = 0
  #height = 0
  #mean = new Float32Array(0)
  #noise = new Float32Array(0)
  #previous = new Uint8Array(0)
  /** Seconds that a differing pixel has not moved. */
  #still = new Float32Array(0)
  /** Per block: pixels that differ, and that differ fully. */
  #faint = new Uint8Array(0)
  #strong = new Uint8Array(0)
  #columns = 0
  #rows = 0
  #beganMs = 0
  #lastMs: number | undefined
  #present = false

  /** @param sensitivity 0 (sees little) to 1 (sees everything) */
  constructor(sensitivity: number) {
    const { thresholdDull, thresholdKeen } = modelDefaults
    this.#threshold = thresholdDull + (thresholdKeen - thresholdDull) * sensitivity
  }

  /** Forgets the background. */
  reset(): void {
    this.#lastMs = undefined
    this.#present = false
  }

  /** Frames in the order of their times. */
  push(frame: LumaFrame): Sight {
    const last = this.#lastMs
    if (last === undefined || frame.width !== this.#width || frame.height !== this.#height) {
      this.#begin(frame)
      return nothing
    }
    const elapsedS = Math.min(2, Math.max(0.02, (frame.captureMs - last) / 1000))
    this.#lastMs = frame.captureMs
    const learning = frame.captureMs - this.#beganMs < modelDefaults.learnS * 1000
    const changed = this.#compare(frame.data, lightOf(frame.data, this.#mean), elapsedS, learning)
    this.#previous.set(frame.data)
    if (learning) return nothing
    if (changed > modelDefaults.lightArea) {
      // So much at once is a lamp, the camera's night mode, or a hand before the lens: learn anew.
      this.#begin(frame)
      return { present: this.#present, area: changed, lightChange: true }
    }
    const { block, beginArea, stayArea, strongShare } = modelDefaults
    const half = (block * block) / 2
    const least = (this.#present ? stayArea : beginArea) * this.#columns * this.#rows
    const largest = largestGroup(this.#faint, this.#strong, this.#columns, half, least * strongShare)
    this.#present = largest >= least
    return { present: this.#present, area: largest / (this.#columns * this.#rows), lightChange: false }
  }

  #begin(frame: LumaFrame): void {
    const { width, height, data } = frame
    if (width !== this.#width || height !== this.#height) {
      this.#width = width
      this.#height = height
      this.#mean = new Float32Array(width * height)
      this.#noise = new Float32Array(width * height)
      this.#previous = new Uint8Array(width * height)
      this.#still = new Float32Array(width * height)
      this.#columns = Math.ceil(width / modelDefaults.block)
      this.#rows = Math.ceil(height / modelDefaults.block)
      this.#faint = new Uint8Array(this.#columns * this.#rows)
      this.#strong = new Uint8Array(this.#columns * this.#rows)
      this.#present = false
    }
    this.#mean.set(data)
    this.#noise.fill(2)
    this.#still.fill(0)
    this.#previous.set(data)
    this.#beganMs = frame.captureMs
    this.#lastMs = frame.captureMs
  }

  /** Counts what differs per block and lets the background follow. One pass, as it runs for every pixel. @returns share of pixels that differ */
  #compare(data: Uint8Array, light: Light, elapsedS: number, learning: boolean): number {
    const { followS, faintS, absorbPerS, restlessPerS, stillS, stillStep, noiseFactor, block } = modelDefaults
    const { gain, offset } = light
    const fast = learning ? 0.3 : 1 - Math.exp(-elapsedS / followS)
    const middling = learning ? 0.3 : 1 - Math.exp(-elapsedS / faintS)
    const absorb = absorbPerS * elapsedS
    const restlessStep = restlessPerS * elapsedS
    const threshold = this.#threshold
    const [mean, noise, still, previous] = [this.#mean, this.#noise, this.#still, this.#previous]
    const [faint, strong, columns, width, height] = [
      this.#faint,
      this.#strong,
      this.#columns,
      this.#width,
      this.#height,
    ]
    faint.fill(0)
    strong.fill(0)
    let differing = 0
    for (let y = 0, index = 0; y < height; y++) {
      const row = ((y / block) | 0) * columns
      for (let x = 0; x < width; x++, index++) {
        const value = data[index]!
        const usual = mean[index]!
        const expected = usual * gain + offset
        const deviation = Math.abs(value - expected)
        const restless = noise[index]! * noiseFactor
        const limit = Math.max(restless, threshold)
        if (deviation * 2 <= limit) {
          mean[index] = usual + (value - usual) * fast
          noise[index]! += (deviation - noise[index]!) * fast * 0.5
          still[index] = 0
          continue
        }
        const at = row + ((x / block) | 0)
        differing++
        faint[at]!++
        const quiet = Math.abs(value - previous[index]!) <= stillStep ? still[index]! + elapsedS : 0
        still[index] = quiet
        // What is behind takes part in the change of light that everybody else follows.
        let step = (expected - usual) * fast
        if (learning || quiet > stillS) step = (value - usual) * fast
        else if (deviation <= limit) step += (value - expected) * middling
        else step += value > expected ? absorb : -absorb
        if (deviation > limit) strong[at]!++
        noise[index]! += restlessStep
        mean[index] = usual + step
      }
    }
    return differing / data.length
  }
}

const nothing: Sight = { present: false, area: 0, lightChange: false }

/** How the whole picture's light stands to the background's: value ≈ mean × gain + offset. */
interface Light {
  gain: number
  offset: number
}

/**
 * A line through the medians of the darker and of the brighter half: a person covers less than half of either, so the
 * medians are the light's alone.
 */
function lightOf(data: Uint8Array, mean: Float32Array): Light {
  let sum = 0
  for (let index = 0; index < mean.length; index += 7) sum += mean[index]!
  const middle = sum / Math.ceil(mean.length / 7)
  const dark = new Int32Array(511)
  const bright = new Int32Array(511)
  let darkSum = 0
  let brightSum = 0
  let darkCount = 0
  let brightCount = 0
  for (let index = 0; index < data.length; index += 7) {
    const expected = mean[index]!
    const difference = Math.round(data[index]! - expected) + 255
    if (expected < middle) {
      dark[difference]!++
      darkSum += expected
      darkCount++
    } else {
      bright[difference]!++
      brightSum += expected
      brightCount++
    }
  }
  const darkOff = median(dark, darkCount)
  const brightOff = median(bright, brightCount)
  if (darkCount === 0 || brightCount === 0) return { gain: 1, offset: darkCount === 0 ? brightOff : darkOff }
  const darkMean = darkSum / darkCount
  const brightMean = brightSum / brightCount
  if (brightMean - darkMean < 20) return { gain: 1, offset: (darkOff + brightOff) / 2 }
  const gain = 1 + (brightOff - darkOff) / (brightMean - darkMean)
  return { gain, offset: darkOff - (gain - 1) * darkMean }
}

function median(histogram: Int32Array, count: number): number {
  let seen = 0
  for (let at = 0; at < histogram.length; at++) {
    seen += histogram[at]!
    if (seen * 2 >= count) return at - 255
  }
  return 0
}

/**
 * Blocks of the largest group that hangs together (eight neighbours) and has enough that differ fully.
 * @param half pixels of a block that make it count
 */
function largestGroup(
  faint: Uint8Array,
  strong: Uint8Array,
  columns: number,
  half: number,
  leastStrong: number,
): number {
  const rows = faint.length / columns
  const seen = new Uint8Array(faint.length)
  const stack: number[] = []
  let largest = 0
  for (let start = 0; start < faint.length; start++) {
    if (faint[start]! < half || seen[start] === 1) continue
    let size = 0
    let full = 0
    seen[start] = 1
    stack.push(start)
    for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
      size++
      if (strong[at]! >= half) full++
      const row = Math.floor(at / columns)
      const column = at % columns
      for (let y = Math.max(0, row - 1); y <= Math.min(rows - 1, row + 1); y++) {
        for (let x = Math.max(0, column - 1); x <= Math.min(columns - 1, column + 1); x++) {
          const next = y * columns + x
          if (faint[next]! < half || seen[next] === 1) continue
          seen[next] = 1
          stack.push(next)
        }
      }
    }
    if (full >= leastStrong) largest = Math.max(largest, size)
  }
  return largest
}
