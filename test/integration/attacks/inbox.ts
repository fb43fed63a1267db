import { isRtcp, parseRtp } from '@porchlight/proto/media/rtp.ts'

/** Generous: what is lost never comes, what is late on a busy machine does. */
const arrivalMs = 30_000

/** The numbers of the RTP packets that arrived, in order of arrival. */
export class Inbox {
  readonly numbers: number[] = []
  readonly #waiting = new Map<number, () => void>()

  take(bytes: Uint8Array): void {
    const packet = isRtcp(bytes) ? undefined : parseRtp(bytes)
    if (packet === undefined) return
    this.numbers.push(packet.sequence)
    this.#waiting.get(packet.sequence)?.()
  }

  /** @throws Error where the packet does not come */
  async arrival(number: number): Promise<void> {
    if (this.numbers.includes(number)) return
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const timer = setTimeout(() => reject(new Error(`packet ${number} was lost`)), arrivalMs)
    this.#waiting.set(number, resolve)
    await promise.finally(() => {
      clearTimeout(timer)
      this.#waiting.delete(number)
    })
  }
}
