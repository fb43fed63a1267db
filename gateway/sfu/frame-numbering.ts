import type { MediaPacket } from './packet-ring.ts'

/**
 * Numbers the frames of a producer that sends no numbers of its own (a libwebrtc device): one after the other in the order
 * of their packets, once it is known that nothing missing between them comes any more. Where whole frames may have been
 * lost, a hole is left in the numbers.
 */
export class FrameNumbering {
  #head: { timestamp: number; number: number; whole: boolean } | undefined
  /** Mean distance of frames, ticks. */
  #duration: number | undefined

  /**
   * @param packet the next one in order that has a payload
   * @param gone packets between the one before and this that are lost for good
   */
  number({ timestamp, marker }: Pick<MediaPacket, 'timestamp' | 'marker'>, gone: number): number {
    const head = this.#head
    if (head?.timestamp === timestamp) {
      head.whole ||= marker
      return head.number
    }
    const number = head === undefined ? 0 : head.number + this.#step(timestamp - head.timestamp, head.whole, gone)
    this.#head = { timestamp, number, whole: marker }
    return number
  }

  #step(distance: number, whole: boolean, gone: number): number {
    if (gone === 0) {
      if (distance > 0) this.#duration = this.#duration === undefined ? distance : 0.9 * this.#duration + 0.1 * distance
      return 1
    }
    const guess = this.#duration === undefined ? 1 : Math.round(distance / this.#duration)
    // after a whole frame at least one is lost, and no frame is less than a packet
    return Math.min(gone + 1, Math.max(whole ? 2 : 1, guess))
  }
}
