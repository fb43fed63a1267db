import { RecentNumbers } from '../recent-numbers.ts'

const keptMs = 2_000

/** What became of a packet. */
export const fate = { underWay: 0, lost: 1, arrived: 2, repeated: 3 } as const

/** What was sent under the newest transport-wide numbers: when, how much, and whether the receiver told of it. */
export class SentLog {
  /** By slot: bytes on the wire. */
  bytes = new Uint16Array(RecentNumbers.size)
  /** By slot: one of {@link fate}. `repeated`: it cannot be told which sending arrives. */
  fates = new Uint8Array(RecentNumbers.size)
  /** By slot: number of the probe that it is a part of; 0: none. */
  probes = new Uint8Array(RecentNumbers.size)
  readonly #numbers = new RecentNumbers({
    keptMs,
    grown: (regrow) => {
      this.bytes = regrow(this.bytes)
      this.fates = regrow(this.fates)
      this.probes = regrow(this.probes)
    },
  })

  /** By slot: ms of the first sending. */
  get sentMs(): Float64Array {
    return this.#numbers.sentMs
  }

  /** @param sequence uint16 @param bytes uint16 @param probe uint8 */
  sent(sequence: number, bytes: number, nowMs: number, probe: number): void {
    const slot = this.#numbers.place(sequence, nowMs)
    this.bytes[slot] = bytes
    this.fates[slot] = fate.underWay
    this.probes[slot] = probe
  }

  /** The same packet once more under its number. */
  sentAgain(sequence: number): void {
    const slot = this.slot(sequence)
    if (slot >= 0 && this.fates[slot] !== fate.arrived) this.fates[slot] = fate.repeated
  }

  /** Where a number is kept; −1: it is unknown, or too old. */
  slot(sequence: number): number {
    return this.#numbers.find(sequence)
  }
}
