import {
  chmodSync,
  closeSync,
  existsSync,
  fdatasyncSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  renameSync,
  rmdirSync,
  rmSync,
  statfsSync,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import type { SpaceAnswer } from './disk-protocol.ts'

/** At most so many files share second and kind. */
const maxSameName = 1_000
/** `{camera}/{YYYY-MM-DD}/{name}`: nothing else is ever deleted. */
const ownPath = /^[a-z0-9-]+\.[a-z0-9-]+\/[+-]?\d{4,6}-\d\d-\d\d\/[\w.-]+\.(?:mp4|jpg)$/
const readOnly = 0o440
const ownerWrites = 0o640

interface OpenFile {
  descriptor: number
  path: string
  size: number
}

/** The files of the recordings directory, as the disk worker writes them. Every method returns when the disk has it. */
export class DiskFiles {
  readonly #directory: string
  readonly #open = new Map<number, OpenFile>()
  #next = 1

  constructor(directory: string) {
    this.#directory = directory
  }

  /** @param stem relative path without `-{n}.mp4` */
  create(stem: string, content: Uint8Array): { file: number; path: string; bytes: number } {
    const folder = dirname(join(this.#directory, stem))
    const made = mkdirSync(folder, { recursive: true })
    const { descriptor, path } = this.#openNew(stem)
    const file: OpenFile = { descriptor, path, size: 0 }
    try {
      this.#write(file, content)
      syncDirectory(folder)
      if (made !== undefined) syncDirectory(dirname(made))
    } catch (error) {
      closeSync(descriptor)
      throw error
    }
    const id = this.#next++
    this.#open.set(id, file)
    return { file: id, path, bytes: file.size }
  }

  append(id: number, content: Uint8Array): { offset: number } {
    const file = this.#file(id)
    const offset = file.size
    try {
      this.#write(file, content)
    } catch (error) {
      // half a part helps nobody, and on a full disk its place is wanted
      ftruncateSync(file.descriptor, offset)
      file.size = offset
      throw error
    }
    return { offset }
  }

  finish(id: number): void {
    const file = this.#file(id)
    this.#open.delete(id)
    closeSync(file.descriptor)
    chmodSync(join(this.#directory, file.path), readOnly)
  }

  /** Cuts a file of an earlier gateway to `bytes`. Players stumble over half a `moof`. */
  seal(path: string, bytes: number): void {
    const whole = join(this.#directory, path)
    chmodSync(whole, ownerWrites)
    const descriptor = openSync(whole, 'r+')
    try {
      ftruncateSync(descriptor, bytes)
      fdatasyncSync(descriptor)
    } finally {
      closeSync(descriptor)
    }
    chmodSync(whole, readOnly)
  }

  replace(path: string, content: Uint8Array): void {
    const whole = join(this.#directory, path)
    mkdirSync(dirname(whole), { recursive: true })
    const temporary = `${whole}.new`
    const descriptor = openSync(temporary, 'w')
    try {
      this.#write({ descriptor, path, size: 0 }, content)
    } finally {
      closeSync(descriptor)
    }
    renameSync(temporary, whole)
    syncDirectory(dirname(whole))
  }

  remove(path: string): void {
    if (!ownPath.test(path)) throw new Error(`${path} is no file of recordings`)
    const whole = join(this.#directory, path)
    rmSync(whole, { force: true })
    try {
      rmdirSync(dirname(whole))
    } catch (error) {
      if (!hasErrno(error, ['ENOTEMPTY', 'EEXIST', 'ENOENT'])) throw error
    }
  }

  space(probe: readonly string[]): SpaceAnswer {
    const { bavail, blocks, bsize } = statfsSync(nearestFolder(this.#directory))
    const found = probe.filter((path) => existsSync(join(this.#directory, path))).length
    return { freeBytes: bavail * bsize, totalBytes: blocks * bsize, probed: probe.length, found }
  }

  close(): void {
    for (const { descriptor } of this.#open.values()) closeSync(descriptor)
    this.#open.clear()
  }

  #file(id: number): OpenFile {
    const file = this.#open.get(id)
    if (file === undefined) throw new Error(`file ${id} is not open`)
    return file
  }

  #openNew(stem: string): { descriptor: number; path: string } {
    for (let number = 1; ; number += 1) {
      const path = `${stem}-${number}.mp4`
      try {
        return { descriptor: openSync(join(this.#directory, path), 'wx'), path }
      } catch (error) {
        if (!hasErrno(error, ['EEXIST']) || number >= maxSameName) throw error
      }
    }
  }

  #write(file: OpenFile, content: Uint8Array): void {
    for (let at = 0; at < content.byteLength; ) {
      at += writeSync(file.descriptor, content, at, content.byteLength - at, file.size + at)
    }
    file.size += content.byteLength
    fdatasyncSync(file.descriptor)
  }
}

/** The folder itself, or the one that it will be made in. */
function nearestFolder(path: string): string {
  return existsSync(path) || dirname(path) === path ? path : nearestFolder(dirname(path))
}

function hasErrno(error: unknown, codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code))
}

/** A new name in a directory survives a power cut only when the directory was written, too. */
function syncDirectory(path: string): void {
  const descriptor = openSync(path, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
