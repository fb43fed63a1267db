const size = 4_096

/** What became of a packet. */
export const fate = { underWay: 0, lost: 1, arrived: 2, repeated: 3 } as const

/**
 * What was sent under the newest transport-wide numbers: when, how much, and whether the receiver told of it. Plain arrays
 * of numbers, so that a packet makes no garbage.
 */
export class SentLog {
  /** By slot: ms of the first sending. */
  readonly sentMs = new Float64Array(size)
  /** By slot: bytes on the wire. */
  readonly bytes = new Uint16Array(size)
  /** By slot: one of {@link fate}. `repeated`: it cannot be told which sending arrives. */
  readonly fates = new Uint8Array(size)
  /** By slot: number of the probe that it is a part of; 0: none. */
  readonly probes = new Uint8Array(size)
  readonly #sequence = new Int32Array(size).fill(-1)

  /** @param sequence uint16 @param bytes uint16 @param probe uint8 */
  sent(sequence: number, bytes: number, nowMs: number, probe: number): void {
    const slot = sequence & (size - 1)
    this.#sequence[slot] = sequence
    this.sentMs[slot] = nowMs
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
    const slot = sequence & (size - 1)
    return this.#sequence[slot] === sequence ? slot : -1
  }
}
