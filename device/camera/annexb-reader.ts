/** No NAL unit is larger, bytes. */
const maxNalBytes = 8 * 1024 * 1024

/**
 * Splits an endless Annex B byte stream (ITU-T H.264 B.1) into NAL units as chunks come. A NAL unit is known to be whole
 * when the next start code comes; {@link flush} takes a pause of the writer for it, and unlearns that once it was wrong.
 */
export class AnnexBReader {
  readonly #nal: (nal: Uint8Array, atMs: number) => void
  #buffer: Buffer = Buffer.alloc(0)
  /** Bytes at the front already searched. */
  #searched = 0
  #synced = false
  #startedMs = 0
  #flushed = false
  #patient = false

  /** @param nal gets each NAL unit (bytes of its own) with the time its first byte came */
  constructor(nal: (nal: Uint8Array, atMs: number) => void) {
    this.#nal = nal
  }

  push(chunk: Uint8Array, nowMs: number): void {
    if (this.#flushed) {
      this.#flushed = false
      // a chunk that does not begin with a start code belongs to the unit that was taken for whole
      if (!beginsWithStartCode(chunk)) this.#patient = true
    }
    if (this.#buffer.length === 0) this.#startedMs = nowMs
    this.#buffer = this.#buffer.length === 0 ? Buffer.from(chunk) : Buffer.concat([this.#buffer, chunk])
    for (;;) {
      const at = this.#buffer.indexOf(startCode, this.#searched)
      if (at === -1) break
      if (this.#synced) this.#emit(this.#buffer.subarray(0, at))
      this.#synced = true
      this.#buffer = this.#buffer.subarray(at + 3)
      this.#searched = 0
      this.#startedMs = nowMs
    }
    this.#searched = Math.max(0, this.#buffer.length - 2)
    if (!this.#synced || this.#buffer.length > maxNalBytes) {
      // nothing to begin with yet, or something that never ends: only a torn start code may stay
      this.#buffer = this.#buffer.subarray(Math.max(0, this.#buffer.length - 2))
      this.#searched = 0
      this.#synced = false
    }
  }

  /** The writer pauses: what is here is a whole NAL unit. @returns false where that has proved untrue for this writer */
  flush(): boolean {
    if (this.#patient || !this.#synced) return false
    if (this.#buffer.length === 0) return true
    this.#emit(this.#buffer)
    this.#buffer = Buffer.alloc(0)
    this.#searched = 0
    this.#synced = false
    this.#flushed = true
    return true
  }

  #emit(bytes: Uint8Array): void {
    let end = bytes.length
    while (end > 0 && bytes[end - 1] === 0) end -= 1
    if (end > 1) this.#nal(new Uint8Array(bytes.subarray(0, end)), this.#startedMs)
  }
}

const startCode = Buffer.from([0, 0, 1])

function beginsWithStartCode(chunk: Uint8Array): boolean {
  return chunk[0] === 0 && chunk[1] === 0 && (chunk[2] === 1 || (chunk[2] === 0 && chunk[3] === 1))
}
