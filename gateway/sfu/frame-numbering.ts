/** Frames whose numbers are remembered for packets that come late. */
const remembered = 128

/**
 * Numbers the frames of a producer that sends no numbers of its own (a libwebrtc device), from sequence numbers and
 * timestamps. Where packets are missing, the distance of the timestamps says how many frames they held.
 */
export class FrameNumbering {
  readonly #numbers = new Map<number, number>()
  #head: { ext: number; timestamp: number; number: number } | undefined
  #duration: number | undefined

  /** @param ext unwrapped sequence number @param timestamp unwrapped ticks */
  number(ext: number, timestamp: number): number {
    const known = this.#numbers.get(timestamp)
    if (known !== undefined) {
      if (this.#head && ext > this.#head.ext) this.#head.ext = ext
      return known
    }
    const head = this.#head
    const number = head ? head.number + this.#step(head, ext, timestamp) : 0
    this.#numbers.set(timestamp, number)
    if (this.#numbers.size > remembered) this.#numbers.delete(this.#numbers.keys().next().value ?? 0)
    if (!head || ext > head.ext) this.#head = { ext, timestamp, number }
    return number
  }

  #step(head: { ext: number; timestamp: number }, ext: number, timestamp: number): number {
    const distance = timestamp - head.timestamp
    if (ext === head.ext + 1) {
      if (distance > 0) this.#duration = Math.min(distance, this.#duration ?? distance)
      return 1
    }
    const frames = this.#duration === undefined ? 1 : Math.round(distance / this.#duration)
    return ext > head.ext ? Math.max(1, frames) : Math.min(-1, frames)
  }
}
