import { type Layer, LayerChoice } from '@porchlight/proto/media/congestion/layer-choice.ts'
import { LinkEstimate } from '@porchlight/proto/media/congestion/link-estimate.ts'
import { Pacer } from '../../../../../gateway/sfu/pacer.ts'
import { seeded } from '../../../../support/random.ts'

export interface LinkSetting {
  /** Bytes per ms that pass, by time in ms. */
  rate: (atMs: number) => number
  /** Longest wait of a packet before it is dropped, ms. */
  queueMs?: number
  /** One way, ms. */
  delayMs?: number
  /** Share of packets lost by chance. */
  loss?: number
  /** Up to so much more on the way, ms; packets do not overtake. */
  jitterMs?: number
  /** Receiver's clock against ours, parts per million. */
  driftPpm?: number
  /** Of the feedback: time between two, share lost, further delay. */
  feedback?: { everyMs?: number; loss?: number; lateMs?: number }
  /** The receiver, or the sender, stands still from … to, ms. */
  receiverStalls?: readonly (readonly [number, number])[]
  senderStalls?: readonly (readonly [number, number])[]
  firstSequence?: number
  seed?: number
}

const packetBytes = 1_150
/** Pictures a second, bytes of a picture and of a keyframe, pictures from one to the next. 2 Mbit/s and 250 kbit/s. */
const streams = {
  main: { fps: 25, bytes: 9_200, keyBytes: 60_000, gop: 100 },
  sub: { fps: 10, bytes: 2_300, keyBytes: 9_200, gop: 40 },
} as const
/** Bytes per ms that LayerChoice is told of. */
export const mainRate = 250

interface Underway {
  sequence: number
  /** On the receiver's clock; undefined: lost. */
  atMs: number | undefined
  /** On ours: when a feedback can tell of it. */
  toldMs: number
}

/** A camera's stream, paced by what the estimate says, over a link with faults; the time is simulated in steps of 1 ms. */
export class SimulatedLink {
  readonly estimate = new LinkEstimate()
  readonly choice = new LayerChoice()
  nowMs = 0
  /** Layer by time, where it changed. */
  readonly changes: { atMs: number; layer: Layer }[] = []
  leastRate = Number.POSITIVE_INFINITY
  lost = 0
  #probedMs = 0
  readonly #setting: LinkSetting
  readonly #pacer = new Pacer()
  readonly #random: () => number
  readonly #waiting: number[] = []
  readonly #underWay: Underway[] = []
  readonly #feedback: { atMs: number; arrivals: { sequence: number; atUs: number | undefined }[] }[] = []
  #sequence: number
  #freeMs = 0
  #longerMs = 0
  #lastArrivalMs = 0
  #frames = { main: 0, sub: 0 }

  constructor(setting: LinkSetting) {
    this.#setting = setting
    this.#sequence = setting.firstSequence ?? 0
    this.#random = seeded(setting.seed ?? 7)
  }

  get layer(): Layer {
    return this.choice.layer
  }

  /** The path becomes longer by so much. */
  lengthen(ms: number): void {
    this.#longerMs += ms
  }

  run(ms: number): void {
    const { senderStalls = [], feedback: { everyMs = 60 } = {} } = this.#setting
    for (const until = this.nowMs + ms; this.nowMs < until; this.nowMs++) {
      if (within(senderStalls, this.nowMs) === undefined) {
        this.#camera()
        this.#leave()
        while ((this.#feedback[0]?.atMs ?? Number.POSITIVE_INFINITY) <= this.nowMs) this.#heard()
      }
      if (this.nowMs % everyMs === 0) this.#tell()
    }
  }

  #camera(): void {
    const { layer } = this.choice
    const { fps, bytes, keyBytes, gop } = streams[layer]
    while (this.#frames[layer] * (1000 / fps) <= this.nowMs) {
      const size = this.#frames[layer]++ % gop === 0 ? keyBytes : bytes
      for (let left = size; left > 0; left -= packetBytes) this.#waiting.push(packetBytes)
    }
    const other = layer === 'main' ? 'sub' : 'main'
    this.#frames[other] = Math.ceil(this.nowMs / (1000 / streams[other].fps))
  }

  #leave(): void {
    const due = this.estimate.probes.due(this.nowMs)
    for (let sent = 0; sent < due; sent += packetBytes) this.#send(packetBytes)
    while (this.#waiting.length > 0 && this.#pacer.budget(this.nowMs, this.estimate.rate) > 0) {
      this.#send(this.#waiting.shift()!)
    }
    // What waits too long is left out, as the sender does at the next keyframe.
    const most = Math.max(streams[this.layer].keyBytes * 1.5, this.estimate.rate * 500)
    if (this.#waiting.length * packetBytes > most) this.#waiting.length = 0
  }

  #send(bytes: number): void {
    const {
      rate,
      queueMs = 200,
      delayMs = 25,
      loss = 0,
      jitterMs = 0,
      driftPpm = 0,
      receiverStalls = [],
    } = this.#setting
    const sequence = this.#sequence
    this.#sequence = (sequence + 1) & 0xffff
    this.#pacer.spend(bytes)
    this.estimate.sent(sequence, bytes, this.nowMs)
    const begins = Math.max(this.nowMs, this.#freeMs)
    const dropped = begins - this.nowMs > queueMs || this.#random() < loss
    if (dropped) {
      this.lost++
      this.#underWay.push({ sequence, atMs: undefined, toldMs: begins + delayMs })
      return
    }
    this.#freeMs = begins + bytes / rate(this.nowMs)
    const comes = Math.max(this.#lastArrivalMs, this.#freeMs + delayMs + this.#longerMs + this.#random() * jitterMs)
    const atMs = within(receiverStalls, comes) ?? comes
    this.#lastArrivalMs = atMs
    this.#underWay.push({ sequence, atMs: 5_000 + atMs * (1 + driftPpm / 1e6), toldMs: atMs })
  }

  #tell(): void {
    const { delayMs = 25, receiverStalls = [], feedback: { loss = 0, lateMs = 0 } = {} } = this.#setting
    if (within(receiverStalls, this.nowMs) !== undefined) return
    const seen = this.#underWay.findLastIndex(({ atMs, toldMs }) => atMs !== undefined && toldMs <= this.nowMs) + 1
    if (seen === 0) return
    const arrivals = this.#underWay
      .splice(0, seen)
      .map(({ sequence, atMs }) => ({ sequence, atUs: atMs === undefined ? undefined : Math.round(atMs * 4) * 250 }))
    if (this.#random() >= loss) this.#feedback.push({ atMs: this.nowMs + delayMs + lateMs * this.#random(), arrivals })
  }

  #heard(): void {
    const { arrivals } = this.#feedback.shift()!
    this.estimate.feedback({ type: 'twcc', sender: 1, media: 1, feedback: 0, arrivals }, this.nowMs)
    const { rate, probing, free, probes } = this.estimate
    if (rate < this.leastRate) this.leastRate = rate
    const before = this.layer
    const layer = this.choice.decide({ nowMs: this.nowMs, rate, probing, main: mainRate })
    if (layer !== before) {
      this.changes.push({ atMs: this.nowMs, layer })
      this.#waiting.length = 0
    }
    if (layer === 'main' || !free || !this.choice.wouldRise(this.nowMs) || probes.underWay) return
    if (this.nowMs - this.#probedMs < 300) return
    this.#probedMs = this.nowMs
    this.estimate.probes.start(rate * 2, this.nowMs)
  }
}

/** When the stall ends that a moment lies in. */
function within(stalls: readonly (readonly [number, number])[], atMs: number): number | undefined {
  return stalls.find(([from, to]) => atMs >= from && atMs < to)?.[1]
}
