import { parseRtp, SequenceUnwrapper } from '@porchlight/proto/media/rtp.ts'
import { decodeALaw, decodeMuLaw } from '../support/g711.ts'

/** Keeps what comes in through the backchannel: PCMU or PCMA, 8000 samples a second; the last ten minutes. */
export class Hearing {
  /** Packets that were no RTP, or of another payload type. */
  foreign = 0
  packets = 0
  /** When the first packet came, ms since the Unix epoch. */
  firstMs: number | undefined
  readonly #blocks: Int16Array[] = []
  #samples = 0
  #order = new SequenceUnwrapper()
  #last: number | undefined

  /** One RTP packet of a client. */
  packet(bytes: Uint8Array): void {
    const rtp = parseRtp(bytes)
    if (rtp === undefined || (rtp.payloadType !== 0 && rtp.payloadType !== 8)) {
      this.foreign += 1
      return
    }
    const order = this.#order.unwrap(rtp.sequence)
    if (this.#last !== undefined && order === this.#last) return // a copy
    this.#last = order
    this.firstMs ??= Date.now()
    this.packets += 1
    const decode = rtp.payloadType === 0 ? decodeMuLaw : decodeALaw
    this.#blocks.push(Int16Array.from(rtp.payload, decode))
    this.#samples += rtp.payload.length
    while (this.#samples > 8000 * 600) this.#samples -= this.#blocks.shift()!.length
  }

  /** A new talker: numbering begins anew. */
  restart(): void {
    this.#order = new SequenceUnwrapper()
    this.#last = undefined
  }

  samples(): Int16Array {
    const all = new Int16Array(this.#samples)
    let at = 0
    for (const block of this.#blocks) {
      all.set(block, at)
      at += block.length
    }
    return all
  }

  clear(): void {
    this.#blocks.length = 0
    this.#samples = 0
    this.packets = 0
    this.foreign = 0
    this.firstMs = undefined
  }
}
