/** The newest ids, bounded: whether one was seen before. QoS 1 and outboxes deliver twice. */
export class SeenIds {
  readonly #limit: number
  readonly #ids = new Set<string>()

  /** @param limit ids kept; the oldest is forgotten first */
  constructor(limit: number) {
    this.#limit = limit
  }

  /** Remembers an id. @returns whether it is new */
  add(id: string): boolean {
    if (this.#ids.has(id)) return false
    this.#ids.add(id)
    if (this.#ids.size > this.#limit) this.#ids.delete(this.#ids.values().next().value as string)
    return true
  }
}
