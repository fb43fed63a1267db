import { join } from 'node:path'
import { readDataFile, writeDataFile } from './data-file.ts'

/** So many connections share one write to the disk (SD cards wear): a restart skips what is left of the block. */
const block = 64

/**
 * Counts connections to the broker, over restarts: presence of a higher epoch wins at the gateway. A lost or damaged file
 * begins again at the seconds since 1970, which is far above what counting can have reached.
 */
export class EpochCounter {
  readonly #path: string
  readonly #now: () => number
  #last: number | undefined
  #reserved = 0

  constructor(dataDir: string, now: () => number) {
    this.#path = join(dataDir, 'epoch')
    this.#now = now
  }

  /** A number above all before it. @throws PorchlightError `identity_unreadable` where it cannot be kept */
  async next(): Promise<number> {
    this.#last ??= this.#stored()
    const epoch = this.#last + 1
    if (epoch >= this.#reserved) {
      await writeDataFile(this.#path, `${epoch + block}\n`)
      this.#reserved = epoch + block
    }
    this.#last = epoch
    return epoch
  }

  #stored(): number {
    const text = readDataFile(this.#path)?.trim() ?? ''
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN
    return Number.isSafeInteger(value) ? value : Math.floor(this.#now() / 1000)
  }
}
