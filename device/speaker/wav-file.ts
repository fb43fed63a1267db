import { type FileHandle, open } from 'node:fs/promises'
import type { Logger } from 'pino'
import type { PcmOutput } from './pcm-output.ts'

const headerBytes = 44
/** Pieces that wait for the disk at most. */
const maxWaiting = 1024

/** Writes sound into a WAV file, for tests and for listening afterwards. The header is right after every piece. */
export class WavFile implements PcmOutput {
  readonly #log: Logger
  readonly #rate: number
  readonly #file: Promise<FileHandle | undefined>
  #tail: Promise<void>
  #waiting = 0
  #bytes = 0
  #closing: Promise<void> | undefined

  /** @param rate samples per second */
  constructor(path: string, rate: number, log: Logger) {
    this.#rate = rate
    this.#log = log
    this.#file = open(path, 'w').catch((error: unknown) => {
      log.error({ err: error, path }, 'WAV file cannot be written')
      return undefined
    })
    this.#tail = this.#put(new Uint8Array(0))
  }

  write(pcm: Uint8Array): void {
    if (this.#closing !== undefined || this.#waiting >= maxWaiting) return
    this.#waiting++
    this.#tail = this.#tail.then(() => this.#put(pcm)).finally(() => this.#waiting--)
  }

  close(): Promise<void> {
    this.#closing ??= this.#tail.then(async () => (await this.#file)?.close())
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #put(pcm: Uint8Array): Promise<void> {
    const file = await this.#file
    try {
      await file?.write(pcm, 0, pcm.byteLength, headerBytes + this.#bytes)
      this.#bytes += pcm.byteLength
      await file?.write(wavHeader(this.#rate, this.#bytes), 0, headerBytes, 0)
    } catch (error) {
      this.#log.warn({ err: error }, 'WAV file: piece lost')
    }
  }
}

/** RIFF/WAVE header of 16-bit mono sound. @param bytes of the sound */
export function wavHeader(rate: number, bytes: number): Uint8Array {
  const header = Buffer.alloc(headerBytes)
  header.write('RIFF', 0, 'latin1')
  header.writeUInt32LE(36 + bytes, 4)
  header.write('WAVEfmt ', 8, 'latin1')
  header.writeUInt32LE(16, 16)
  header.writeUInt16LE(1, 20)
  header.writeUInt16LE(1, 22)
  header.writeUInt32LE(rate, 24)
  header.writeUInt32LE(rate * 2, 28)
  header.writeUInt16LE(2, 32)
  header.writeUInt16LE(16, 34)
  header.write('data', 36, 'latin1')
  header.writeUInt32LE(bytes, 40)
  return header
}
