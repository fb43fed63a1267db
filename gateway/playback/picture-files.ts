import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Pictures that are kept: some 15 kB each. */
const maxFiles = 4_096

/** Small pictures on the disk that can be made again at any time: the one that was not used for longest goes first. */
export class PictureFiles {
  readonly #directory: string
  readonly #most: number
  #used: Promise<Set<string>> | undefined
  #writes = 0

  /** @param most files that are kept */
  constructor(directory: string, most = maxFiles) {
    this.#directory = directory
    this.#most = most
  }

  /** @returns undefined where it is not there, or cannot be read */
  async get(name: string): Promise<Uint8Array | undefined> {
    const used = await this.#names()
    if (!used.has(name)) return undefined
    try {
      const bytes = await readFile(join(this.#directory, name))
      used.delete(name)
      used.add(name)
      return new Uint8Array(bytes)
    } catch {
      // somebody has deleted it: it is made again
      used.delete(name)
      return undefined
    }
  }

  /** @throws what the file system throws; then it is not kept */
  async put(name: string, content: Uint8Array): Promise<void> {
    const used = await this.#names()
    await mkdir(this.#directory, { recursive: true })
    this.#writes += 1
    const temporary = join(this.#directory, `${this.#writes}.new`)
    try {
      await writeFile(temporary, content)
      await rename(temporary, join(this.#directory, name))
    } catch (error) {
      await rm(temporary, { force: true })
      throw error
    }
    used.add(name)
    for (const oldest of used) {
      if (used.size <= this.#most) break
      used.delete(oldest)
      await rm(join(this.#directory, oldest), { force: true })
    }
  }

  /** What an earlier gateway has kept, too; the oldest first. */
  #names(): Promise<Set<string>> {
    this.#used ??= this.#read()
    return this.#used
  }

  async #read(): Promise<Set<string>> {
    const names = await readdir(this.#directory).catch((): string[] => [])
    const files = await Promise.all(
      names.map(async (name) => ({
        name,
        at: (await stat(join(this.#directory, name)).catch(() => undefined))?.mtimeMs,
      })),
    )
    return new Set(files.toSorted((a, b) => (a.at ?? 0) - (b.at ?? 0)).map(({ name }) => name))
  }
}
