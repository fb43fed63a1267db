import { dirname, join } from 'node:path'
import { PorchlightError } from '@porchlight/proto/errors.ts'
import { type DirectoryLock, lockDirectory } from './directory-lock.ts'
import { hasErrno } from './disk-error.ts'
import { DiskFiles } from './disk-files.ts'
import { type FileLayer, fileLayer } from './file-layer.ts'
import { syncDirectory } from './sync-directory.ts'

const identityName = '.porchlight.json'

/** What the index knows of the directory that it belongs to. */
export interface DirectoryClaim {
  /** Identity of the directory, where the index has one. */
  expected: string | undefined
  /** Identity for a directory that has none yet. */
  fresh: string
  /** Some files that the index knows, relative; none where it knows of no recording. */
  known: readonly string[]
}

/**
 * The recordings directory as a whole. A disk that is not mounted, or another disk in its place, looks like an empty
 * directory: its identity, a file in it, tells whether it is the one that the index speaks of.
 */
export class RecordingsDirectory {
  readonly #directory: string
  readonly #layer: FileLayer
  #identity: string | undefined
  #lock: DirectoryLock | undefined

  constructor(directory: string, layer: FileLayer = fileLayer) {
    this.#directory = directory
    this.#layer = layer
  }

  /**
   * Takes the directory for this program alone, until `close`. An empty one becomes ours where nothing is missing by it.
   * @returns its identity
   * @throws PorchlightError `recordings_missing`, `recordings_foreign`, `recordings_in_use`; errors of node:fs
   */
  claim({ expected, fresh, known }: DirectoryClaim): string {
    const found = this.#read()
    if (found !== undefined && expected !== undefined && found !== expected)
      throw new PorchlightError('recordings_foreign', this.#directory)
    const isThere = (path: string) => this.#layer.existsSync(join(this.#directory, path))
    if (found === undefined && known.length > 0 && !known.some(isThere))
      throw new PorchlightError('recordings_missing', this.#directory)
    if (found !== this.#identity) this.close() // of the disk that was here before
    this.#hold()
    const identity = found ?? expected ?? fresh
    if (found === undefined) this.#write(identity)
    this.#identity = identity
    return identity
  }

  /**
   * Takes the directory as it is, whatever the index says.
   * @returns its identity
   * @throws PorchlightError `recordings_in_use`; errors of node:fs
   */
  adopt(fresh: string): string {
    return this.claim({ expected: undefined, fresh, known: [] })
  }

  /**
   * Whether it is still the directory that was claimed, by whichever thread: disks are pulled out while programs run.
   * @param identity as `claim` gave it; undefined where nothing was claimed
   * @throws PorchlightError `recordings_missing`, `recordings_foreign`; errors of node:fs
   */
  check(identity: string | undefined): void {
    const found = this.#read()
    if (found === undefined || identity === undefined) throw new PorchlightError('recordings_missing', this.#directory)
    if (found !== identity) throw new PorchlightError('recordings_foreign', this.#directory)
  }

  /** Idempotent. */
  close(): void {
    this.#lock?.close()
    this.#lock = undefined
  }

  [Symbol.dispose](): void {
    this.close()
  }

  /** @returns undefined where there is none; an empty text where it cannot be understood, which is nobody's identity */
  #read(): string | undefined {
    let text: string
    try {
      text = this.#layer.readFileSync(join(this.#directory, identityName), 'utf8')
    } catch (error) {
      if (hasErrno(error, 'ENOENT')) return undefined
      throw error
    }
    return /^\{"recordings":"([\w-]{8,64})"\}\n$/.exec(text)?.[1] ?? ''
  }

  #hold(): void {
    const made = this.#layer.mkdirSync(this.#directory, { recursive: true })
    if (made !== undefined) syncDirectory(this.#layer, dirname(this.#directory))
    this.#lock ??= lockDirectory(this.#directory)
  }

  #write(identity: string): void {
    const content = new TextEncoder().encode(`${JSON.stringify({ recordings: identity })}\n`)
    new DiskFiles(this.#directory, this.#layer).replace(identityName, content)
  }
}
