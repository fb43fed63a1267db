import type { HandshakeFragment } from './dtls-records.ts'

export interface HandshakeMessage {
  type: number
  number: number
  body: Buffer
}

/** A client's whole certificate chain fits; its hello has 2 KB. */
const maxMessageBytes = 16 * 1024
/** Messages ahead of the awaited one that are kept: a flight of the client's has four. */
const maxAhead = 4

interface Partial {
  type: number
  body: Buffer
  have: Uint8Array
  missing: number
}

/**
 * Puts handshake messages together from fragments that may be doubled, overlap, and come in any order, and gives them out in
 * the order of their numbers (RFC 6347 §4.2.2, §4.2.3). The first bytes for a place count.
 */
export class HandshakeAssembly {
  readonly #partials = new Map<number, Partial>()
  #next: number

  constructor(next: number) {
    this.#next = next
  }

  /** Number of the message that is awaited. */
  get next(): number {
    return this.#next
  }

  add({ type, length, number, offset, body }: HandshakeFragment): void {
    if (number < this.#next || number > this.#next + maxAhead || length > maxMessageBytes) return
    let partial = this.#partials.get(number)
    if (partial === undefined) {
      partial = { type, body: Buffer.alloc(length), have: new Uint8Array(length), missing: length }
      this.#partials.set(number, partial)
    }
    if (partial.type !== type || partial.body.length !== length) return
    for (let index = 0; index < body.length; index += 1) {
      const at = offset + index
      if (partial.have[at] === 1) continue
      partial.have[at] = 1
      partial.body[at] = body[index]!
      partial.missing -= 1
    }
  }

  /** The awaited message, once it is whole. */
  take(): HandshakeMessage | undefined {
    const partial = this.#partials.get(this.#next)
    if (partial === undefined || partial.missing > 0) return undefined
    this.#partials.delete(this.#next)
    return { type: partial.type, number: this.#next++, body: partial.body }
  }

  /** Awaits the message with this number, from its beginning. */
  await(number: number): void {
    this.#next = number
    this.#partials.clear()
  }
}
