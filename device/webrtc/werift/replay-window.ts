/** Packets that may come late and still count. RFC 3711 §3.3.2 asks for 64 at least. */
const size = 128

/** Which packet indexes were taken already (RFC 3711 §3.3.2, RFC 6347 §4.1.2.6). Asked before a packet is believed, told after. */
export class ReplayWindow {
  readonly #seen = new Float64Array(size).fill(-1)
  #highest = -1

  /** The highest index that was taken; -1 before the first. */
  get highest(): number {
    return this.#highest
  }

  /** @param index up to 48 bits */
  isNew(index: number): boolean {
    return index > this.#highest - size && this.#seen[index % size] !== index
  }

  take(index: number): void {
    this.#seen[index % size] = index
    if (index > this.#highest) this.#highest = index
  }
}

/**
 * The packet index of a sequence number: the one nearest to the highest so far (RFC 3711 §3.3.1). Its upper 32 bits are the
 * rollover counter.
 * @param highest index so far; -1: none, and the rollover counter is zero
 * @param sequence uint16
 * @returns undefined where it would lie before the first packet
 */
export function packetIndex(highest: number, sequence: number): number | undefined {
  if (highest < 0) return sequence
  const ahead = (sequence - (highest % 65_536) + 65_536) % 65_536
  const index = highest + (ahead < 32_768 ? ahead : ahead - 65_536)
  return index < 0 ? undefined : index
}
