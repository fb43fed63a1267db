import { SequenceUnwrapper } from '@porchlight/proto/media/rtp.ts'
import type { TransportFeedback } from '@porchlight/proto/media/transport-cc.ts'

/** Packets that one feedback tells of at most. */
const maxPackets = 1_000
/** Two arrivals further apart do not fit into one: a delta has 16 bits of 250 µs. */
const mostApartMs = 8_000

/** Notes when packets of one transport arrived, to tell their sender (transport-wide congestion control). */
export class ArrivalFeedback {
  readonly #unwrapper = new SequenceUnwrapper()
  readonly #arrivals = new Map<number, number>()
  #next: number | undefined
  #count = 0
  #originMs: number | undefined

  /** @param sequence of the header extension, uint16 */
  arrived(sequence: number, nowMs: number): void {
    const ext = this.#unwrapper.unwrap(sequence)
    this.#next ??= ext
    this.#originMs ??= nowMs
    // A packet that is repeated under its number has arrived the first time.
    if (ext < this.#next || this.#arrivals.size >= maxPackets || this.#arrivals.has(ext)) return
    this.#arrivals.set(ext, nowMs)
  }

  /** The next feedback; undefined where nothing new came. Call every 50–100 ms. */
  take(sender: number, media: number): TransportFeedback | undefined {
    if (this.#next === undefined || this.#originMs === undefined || this.#arrivals.size === 0) return undefined
    const highest = Math.max(...this.#arrivals.keys())
    const first = Math.max(this.#next, highest - maxPackets)
    const arrivals: TransportFeedback['arrivals'] = []
    let lastMs: number | undefined
    let ext = first
    for (; ext <= highest; ext++) {
      const atMs = this.#arrivals.get(ext)
      if (atMs !== undefined && Math.abs(atMs - (lastMs ?? atMs)) > mostApartMs) break
      lastMs = atMs ?? lastMs
      const atUs = atMs === undefined ? undefined : Math.round((atMs - this.#originMs + 64) * 4) * 250
      arrivals.push({ sequence: ext & 0xffff, atUs })
    }
    for (const told of this.#arrivals.keys()) if (told < ext) this.#arrivals.delete(told)
    this.#next = ext
    return { type: 'twcc', sender, media, feedback: this.#count++ & 0xff, arrivals }
  }
}
