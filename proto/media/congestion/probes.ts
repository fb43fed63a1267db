import { Probe, type ProbeResult } from './probe.ts'

const mostIds = 255

/** The probes of one link, one after the other. */
export class Probes {
  #probe: Probe | undefined
  #id = 0

  /** Packets are being sent for a probe. */
  get leaves(): boolean {
    return this.#probe !== undefined && !this.#probe.whole
  }

  /** Packets are being sent for a probe, or its result is awaited. */
  get underWay(): boolean {
    return this.#probe !== undefined
  }

  /** Begins to try a rate (bytes per ms, above 0), unless a probe is under way: `due` says what is to be sent for it. */
  start(rate: number, nowMs: number): void {
    this.#expire(nowMs)
    if (this.#probe) return
    this.#id = (this.#id % mostIds) + 1
    this.#probe = new Probe(this.#id, rate, nowMs)
  }

  /** Bytes to be sent now for the probe, beside the media. */
  due(nowMs: number): number {
    this.#expire(nowMs)
    return Math.max(0, this.#probe?.due(nowMs) ?? 0)
  }

  /** A packet leaves. @returns the number of the probe that it is a part of, uint8; 0: none */
  sent(bytes: number): number {
    if (!this.#probe || this.#probe.whole) return 0
    this.#probe.sent(bytes)
    return this.#probe.id
  }

  /** A packet has arrived. @param id as `sent` gave it */
  arrived(id: number, sentMs: number, arrivalMs: number, bytes: number): void {
    if (id > 0 && id === this.#probe?.id) this.#probe.arrived(sentMs, arrivalMs, bytes)
  }

  /** The result, once; undefined while there is none. */
  take(nowMs: number): ProbeResult | undefined {
    const result = this.#probe?.result
    if (result) this.#probe = undefined
    else this.#expire(nowMs)
    return result
  }

  /** What cannot be sent, or is not told of, is given up. */
  #expire(nowMs: number): void {
    if (this.#probe?.over(nowMs)) this.#probe = undefined
  }
}
