/** Packets that are kept at first, and at most. */
const firstSize = 128
const mostSize = 4_096
/** What was sent more recently than this is not forgotten while there may be more room, ms. */
const keptMs = 2_000

/** What became of a packet. */
export const fate = { underWay: 0, lost: 1, arrived: 2, repeated: 3 } as const

/**
 * What was sent under the newest transport-wide numbers: when, how much, and whether the receiver told of it. Plain arrays
 * of numbers, so that a packet makes no garbage; they grow to what the link takes.
 */
export class SentLog {
  /** By slot: ms of the first sending. */
  sentMs = new Float64Array(firstSize)
  /** By slot: bytes on the wire. */
  bytes = new Uint16Array(firstSize)
  /** By slot: one of {@link fate}. `repeated`: it cannot be told which sending arrives. */
  fates = new Uint8Array(firstSize)
  /** By slot: number of the probe that it is a part of; 0: none. */
  probes = new Uint8Array(firstSize)
  #sequence = new Int32Array(firstSize).fill(-1)
  #mask = firstSize - 1

  /** @param sequence uint16 @param bytes uint16 @param probe uint8 */
  sent(sequence: number, bytes: number, nowMs: number, probe: number): void {
    if (this.#mask + 1 < mostSize && this.#isRecent(sequence, nowMs)) this.#grow()
    const slot = sequence & this.#mask
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
    const slot = sequence & this.#mask
    return this.#sequence[slot] === sequence ? slot : -1
  }

  /** Whether a number would take the place of one that was sent a moment ago. */
  #isRecent(sequence: number, nowMs: number): boolean {
    const slot = sequence & this.#mask
    return this.#sequence[slot]! >= 0 && nowMs - this.sentMs[slot]! < keptMs
  }

  #grow(): void {
    const [sequences, sentMs, bytes, fates, probes] = [this.#sequence, this.sentMs, this.bytes, this.fates, this.probes]
    const size = (this.#mask + 1) * 2
    this.#mask = size - 1
    this.#sequence = new Int32Array(size).fill(-1)
    this.sentMs = new Float64Array(size)
    this.bytes = new Uint16Array(size)
    this.fates = new Uint8Array(size)
    this.probes = new Uint8Array(size)
    for (const [from, sequence] of sequences.entries()) {
      if (sequence < 0) continue
      const to = sequence & this.#mask
      this.#sequence[to] = sequence
      this.sentMs[to] = sentMs[from]!
      this.bytes[to] = bytes[from]!
      this.fates[to] = fates[from]!
      this.probes[to] = probes[from]!
    }
  }
}
