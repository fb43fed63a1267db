import { dirname, join } from 'node:path'
import { hasErrno } from './disk-error.ts'
import type { SpaceAnswer } from './disk-protocol.ts'
import { formatOf } from './file-format.ts'
import { type FileLayer, fileLayer } from './file-layer.ts'
import { syncDirectory } from './sync-directory.ts'

/** At most so many files share second and kind. */
const maxSameName = 1_000
/** Folders that are remembered as durable; a camera fills one a day. */
const maxDurable = 1_024
/** `{camera}/{YYYY-MM-DD}/{name}`: nothing else is ever deleted. */
const ownPath = /^[a-z0-9-]+\.[a-z0-9-]+\/[+-]?\d{4,6}-\d\d-\d\d\/[\w.-]+\.(?:mp4|webm|jpg)$/
const readOnly = 0o440
const ownerWrites = 0o640

interface OpenFile {
  descriptor: number
  path: string
  size: number
  /** The disk has failed to keep what was written: what it holds past `size` is not known, and it is not written again. */
  suspect: boolean
}

/** The files of the recordings directory, as a disk worker writes them. Every method returns when the disk has it. */
export class DiskFiles {
  readonly #directory: string
  readonly #layer: FileLayer
  readonly #open = new Map<number, OpenFile>()
  readonly #durable = new Set<string>()
  #next = 1

  constructor(directory: string, layer: FileLayer = fileLayer) {
    this.#directory = directory
    this.#layer = layer
  }

  /**
   * Makes a file whose name survives a power cut; what is in it does once something was appended.
   * @param stem relative path without `-{n}` and the extension, which follows from the content
   */
  create(stem: string, content: readonly Uint8Array[]): { file: number; path: string; bytes: number } {
    const { descriptor, path } = this.#openNew(stem, formatOf(content[0]!).extension)
    const file: OpenFile = { descriptor, path, size: 0, suspect: false }
    try {
      this.#write(file, content)
      syncDirectory(this.#layer, dirname(join(this.#directory, path)))
    } catch (error) {
      this.#throwAway(file)
      throw error
    }
    const id = this.#next++
    this.#open.set(id, file)
    return { file: id, path, bytes: file.size }
  }

  append(id: number, content: readonly Uint8Array[]): { offset: number } {
    const file = this.#file(id)
    if (file.suspect) throw new Error(`${file.path} has failed and is not written again`)
    const offset = file.size
    try {
      this.#write(file, content)
      this.#sync(file)
    } catch (error) {
      this.#takeBack(file, offset)
      throw error
    }
    return { offset }
  }

  /** @returns `whole`: the file is what was written to it, and read-only; else the next start looks through it */
  finish(id: number): { whole: boolean } {
    const file = this.#file(id)
    this.#open.delete(id)
    try {
      this.#layer.closeSync(file.descriptor)
      if (!file.suspect) this.#layer.chmodSync(join(this.#directory, file.path), readOnly)
    } catch {
      // every part of it is on the disk, or was refused
      return { whole: false }
    }
    return { whole: !file.suspect }
  }

  /** Takes away a file that was made here and holds no part. */
  discard(id: number): void {
    const file = this.#file(id)
    this.#open.delete(id)
    this.#throwAway(file)
  }

  /** Cuts a file of an earlier gateway to `bytes`. Players stumble over half a `moof`. */
  seal(path: string, bytes: number): void {
    const whole = join(this.#directory, path)
    this.#layer.chmodSync(whole, ownerWrites)
    const descriptor = this.#layer.openSync(whole, 'r+')
    try {
      this.#layer.ftruncateSync(descriptor, bytes)
      this.#layer.fdatasyncSync(descriptor)
    } finally {
      this.#layer.closeSync(descriptor)
    }
    this.#layer.chmodSync(whole, readOnly)
  }

  replace(path: string, content: Uint8Array): void {
    const whole = join(this.#directory, path)
    this.#makeFolder(dirname(whole))
    const temporary = `${whole}.new`
    const descriptor = this.#layer.openSync(temporary, 'w')
    try {
      try {
        const file: OpenFile = { descriptor, path, size: 0, suspect: false }
        this.#write(file, [content])
        this.#sync(file)
      } finally {
        this.#layer.closeSync(descriptor)
      }
      this.#layer.renameSync(temporary, whole)
    } catch (error) {
      this.#remove(temporary)
      throw error
    }
    syncDirectory(this.#layer, dirname(whole))
  }

  remove(path: string): void {
    if (!ownPath.test(path)) throw new Error(`${path} is no file of recordings`)
    const whole = join(this.#directory, path)
    this.#layer.rmSync(whole, { force: true })
    try {
      this.#layer.rmdirSync(dirname(whole))
      this.#durable.delete(dirname(whole))
    } catch (error) {
      if (!hasErrno(error, 'ENOTEMPTY', 'EEXIST', 'ENOENT')) throw error
    }
  }

  space(probe: readonly string[]): SpaceAnswer {
    const { bavail, blocks, bsize } = this.#layer.statfsSync(this.#nearestFolder(this.#directory))
    const found = probe.filter((path) => this.#layer.existsSync(join(this.#directory, path))).length
    return { freeBytes: bavail * bsize, totalBytes: blocks * bsize, probed: probe.length, found }
  }

  close(): void {
    for (const { descriptor } of this.#open.values()) this.#closeFile(descriptor)
    this.#open.clear()
  }

  #file(id: number): OpenFile {
    const file = this.#open.get(id)
    if (file === undefined) throw new Error(`file ${id} is not open`)
    return file
  }

  #openNew(stem: string, extension: string): { descriptor: number; path: string } {
    const folder = dirname(join(this.#directory, stem))
    this.#makeFolder(folder)
    for (let number = 1; ; number += 1) {
      const path = `${stem}-${number}.${extension}`
      try {
        return { descriptor: this.#layer.openSync(join(this.#directory, path), 'wx'), path }
      } catch (error) {
        // another thread may have deleted the last file of the folder, and the folder with it
        if (hasErrno(error, 'ENOENT')) this.#makeFolder(folder)
        else if (!hasErrno(error, 'EEXIST')) throw error
        if (number >= maxSameName) throw error
      }
    }
  }

  #write(file: OpenFile, content: readonly Uint8Array[]): void {
    let { size } = file
    for (const piece of content) {
      for (let at = 0; at < piece.byteLength; ) {
        const written = this.#layer.writeSync(file.descriptor, piece, at, piece.byteLength - at, size)
        at += written
        size += written
      }
    }
    file.size = size
  }

  #sync(file: OpenFile): void {
    try {
      this.#layer.fdatasyncSync(file.descriptor)
    } catch (error) {
      // The system tells of a lost page once: a second fdatasync would succeed, and the bytes would not be there.
      file.suspect = true
      throw error
    }
  }

  /** The folder itself, or the one that it will be made in. */
  #nearestFolder(path: string): string {
    return this.#layer.existsSync(path) || dirname(path) === path ? path : this.#nearestFolder(dirname(path))
  }

  /** Half a part helps nobody, and on a full disk its place is wanted. */
  #takeBack(file: OpenFile, size: number): void {
    file.size = size
    try {
      this.#layer.ftruncateSync(file.descriptor, size)
      this.#layer.fdatasyncSync(file.descriptor)
    } catch {
      // the first error is the one to tell
      file.suspect = true
    }
  }

  #throwAway({ descriptor, path }: OpenFile): void {
    this.#closeFile(descriptor)
    this.#remove(join(this.#directory, path))
  }

  #closeFile(descriptor: number): void {
    try {
      this.#layer.closeSync(descriptor)
    } catch {
      // the descriptor is gone all the same, and each part has been waited for
    }
  }

  #remove(path: string): void {
    try {
      this.#layer.rmSync(path, { force: true })
    } catch {
      // a file without a part stays behind, which nobody takes for a recording
    }
  }

  /** Makes a folder of the recordings directory; each name on the way to it survives a power cut. */
  #makeFolder(folder: string): void {
    const made = this.#layer.mkdirSync(folder, { recursive: true })
    if (made !== undefined || this.#durable.size > maxDurable) this.#durable.clear()
    for (let level = folder; level !== this.#directory && !this.#durable.has(level); level = dirname(level)) {
      syncDirectory(this.#layer, dirname(level))
      this.#durable.add(level)
    }
  }
}
