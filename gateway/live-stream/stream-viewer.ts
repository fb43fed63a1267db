import { Readable } from 'node:stream'
import type { Fragment } from './live-muxer.ts'

/** How far a viewer may be behind at a keyframe before it goes on from there, ms. */
const maxBehindMs = 2_000
/** Bytes that wait for a viewer who takes nothing. */
const maxWaitingBytes = 24 << 20
/** Bytes handed to the connection ahead. */
const aheadBytes = 64 << 10

/** One viewer's stream of bytes. Who is too slow for all of it gets the newest: from a keyframe on, with a hole before. */
export class StreamViewer {
  /** The init segment and what is to follow; destroyed by whoever sends it when the viewer has gone. */
  readonly body: Readable
  #queue: Fragment[] = []
  #waitingBytes = 0
  #needsKeyframe = true
  #wanted = false
  #ended = false

  /**
   * @param init the init segment
   * @param kept fragments from the last keyframe on
   * @param onLeft called once, when nothing more is taken
   */
  constructor(init: Uint8Array, kept: readonly Fragment[], onLeft: () => void) {
    this.body = new Readable({
      highWaterMark: aheadBytes,
      read: () => {
        this.#wanted = true
        this.#feed()
      },
      destroy: (error, done) => {
        this.#ended = true
        this.#clear()
        onLeft()
        done(error)
      },
    })
    this.body.push(init)
    for (const fragment of kept) this.add(fragment)
  }

  add(fragment: Fragment): void {
    if (this.#ended) return
    if (fragment.keyframe) {
      const oldest = this.#queue[0]
      if (oldest && fragment.startMs - oldest.startMs > maxBehindMs) this.#clear()
      this.#needsKeyframe = false
    }
    if (this.#needsKeyframe) return
    if (this.#waitingBytes + fragment.bytes.length > maxWaitingBytes) {
      this.#clear()
      this.#needsKeyframe = true
      return
    }
    this.#queue.push(fragment)
    this.#waitingBytes += fragment.bytes.length
    this.#feed()
  }

  /** Nothing more comes than what waits already. Idempotent. */
  end(): void {
    if (this.#ended) return
    this.#ended = true
    this.#feed()
  }

  #feed(): void {
    while (this.#wanted) {
      const fragment = this.#queue.shift()
      if (fragment === undefined) {
        if (this.#ended) this.#wanted = this.body.push(null)
        return
      }
      this.#waitingBytes -= fragment.bytes.length
      this.#wanted = this.body.push(fragment.bytes)
    }
  }

  #clear(): void {
    this.#queue = []
    this.#waitingBytes = 0
  }
}
