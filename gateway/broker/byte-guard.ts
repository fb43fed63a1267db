import { Duplex } from 'node:stream'
import { PacketScanner, type Refusal } from './packet-scanner.ts'

export interface ByteGuardBounds {
  /** Remaining length of CONNECT, bytes: credential, will and names. */
  connectBytes: number
  /** Remaining length of any later packet, bytes. */
  packetBytes: number
  /** Time from the connection to its admission, ms. */
  admitMs: number
}

/** Called at most once each; must not throw. */
export interface ByteGuardHooks {
  refused(reason: Refusal): void
  admitted(): void
}

/**
 * Stands between a connection and the broker's parser. Lets one CONNECT of bounded length through and holds everything
 * behind it back (in the peer's socket, not in memory) until `admit()`; afterwards packets up to a bounded length.
 */
export class ByteGuard extends Duplex {
  readonly #below: Duplex
  readonly #scanner: PacketScanner
  readonly #hooks: ByteGuardHooks
  readonly #deadline: NodeJS.Timeout
  #admitted = false
  #held: Buffer | undefined
  #holding = false
  #ended = false

  constructor(below: Duplex, bounds: ByteGuardBounds, hooks: ByteGuardHooks) {
    super({ allowHalfOpen: false })
    this.#below = below
    this.#hooks = hooks
    this.#scanner = new PacketScanner(bounds.connectBytes, bounds.packetBytes)
    this.#deadline = setTimeout(() => this.#refuse('slow'), bounds.admitMs)
    below.on('data', (chunk: Buffer) => this.#take(chunk))
    below.on('end', () => {
      this.#ended = true
      if (!this.#holding) this.push(null)
    })
    below.on('error', (error) => this.destroy(error))
    below.on('close', () => this.destroy())
  }

  /** The credential is good: what was held back goes on. Idempotent. */
  admit(): void {
    if (this.#admitted || this.destroyed) return
    this.#admitted = true
    clearTimeout(this.#deadline)
    this.#hooks.admitted()
    this.#holding = false
    const held = this.#held
    this.#held = undefined
    if (held) this.#take(held)
    if (this.#ended) this.push(null)
    else if (!this.#holding) this.#below.resume()
  }

  #take(chunk: Buffer): void {
    if (this.destroyed) return
    if (this.#holding) {
      this.#held = this.#held ? Buffer.concat([this.#held, chunk]) : chunk
      return
    }
    let at = 0
    while (at < chunk.length) {
      const step = this.#scanner.scan(chunk, at)
      if (typeof step === 'string') {
        this.#refuse(step)
        return
      }
      at = step.end
      if (step.complete && !this.#admitted) {
        this.#holding = true
        this.#below.pause()
        if (at < chunk.length) this.#held = chunk.subarray(at)
        break
      }
    }
    if (!this.push(chunk.subarray(0, at))) this.#below.pause()
  }

  #refuse(reason: Refusal): void {
    if (this.destroyed) return
    this.#hooks.refused(reason)
    this.destroy()
  }

  override _read(): void {
    if (!this.#holding) this.#below.resume()
  }

  override _write(chunk: Buffer, encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    this.#below.write(chunk, encoding, callback)
  }

  /** The parser writes a packet in many small pieces; the wire gets one. */
  override _writev(
    pieces: { chunk: Buffer | string; encoding: BufferEncoding }[],
    callback: (error?: Error | null) => void,
  ): void {
    const bytes = pieces.map(({ chunk, encoding }) =>
      typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk,
    )
    this.#below.write(Buffer.concat(bytes), callback)
  }

  override _final(callback: () => void): void {
    this.#below.end(callback)
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    clearTimeout(this.#deadline)
    this.#held = undefined
    this.#below.destroy()
    callback(error)
  }
}
