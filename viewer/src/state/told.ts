/** Tells which facts came by notice after a list was asked for: what the list says of them may be older. */
export class Told {
  #count = 0
  readonly #by = new Map<string, number>()

  /** A notice told of this. */
  notice(id: string): void {
    this.#count += 1
    this.#by.set(id, this.#count)
  }

  /** To be called when a list is asked for. @returns whether a notice has told of `id` since */
  listAsked(): (id: string) => boolean {
    const asked = this.#count
    return (id) => (this.#by.get(id) ?? 0) > asked
  }
}
