/** At one check every 50 ms, as while a browser looks for a way, some 13 s; later minutes. */
const mostKept = 256

/** Which of a session's checks have been seen lately, by their transaction id: one that comes again is a replay or was sent twice. */
export class CheckMemory {
  /** In the order in which they came. */
  readonly #seen = new Set<string>()

  /** @param check a Binding request that is known to be authentic: what others make is not to fill the memory */
  isNew(check: Buffer): boolean {
    // RFC 8489 §5
    const transaction = check.toString('latin1', 8, 20)
    if (this.#seen.has(transaction)) return false
    this.#seen.add(transaction)
    if (this.#seen.size > mostKept) this.#seen.delete(this.#seen.values().next().value!)
    return true
  }
}
