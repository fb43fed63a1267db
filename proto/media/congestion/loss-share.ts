/** Judged so often, ms, and by so many packets at least: a handful of packets has any loss by chance. */
const windowMs = 1_000
const leastPackets = 50
/** Loss as heavy as this is told sooner. */
const heavyLoss = 0.25
const heavyWindowMs = 200
const leastHeavyPackets = 20

/** Which share of the packets is lost, over a window long enough to tell it from chance. */
export class LossShare {
  #received = 0
  #lost = 0
  #sinceMs: number | undefined
  #share = 0

  /** 0…1, of the last whole window. */
  get share(): number {
    return this.#share
  }

  /** What a feedback told. @returns true where `share` is new */
  told(received: number, lost: number, nowMs: number): boolean {
    this.#sinceMs ??= nowMs
    this.#received += received
    this.#lost += lost
    const packets = this.#received + this.#lost
    const spanMs = nowMs - this.#sinceMs
    const share = packets > 0 ? this.#lost / packets : 0
    const heavy = share > heavyLoss && spanMs >= heavyWindowMs && packets >= leastHeavyPackets
    if (!heavy && (spanMs < windowMs || packets < leastPackets)) return false
    this.#received = 0
    this.#lost = 0
    this.#sinceMs = nowMs
    this.#share = share
    return true
  }
}
