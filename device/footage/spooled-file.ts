import { constants } from 'node:fs'
import { type FileHandle, open, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { PorchlightError } from '@porchlight/proto/errors.ts'
import type { BodyReader } from './footage-body.ts'
import { type SpoolName, unfinishedSuffix, writeSpoolName } from './spool-name.ts'
import { SpoolBody, scanSpoolFile } from './spool-scan.ts'
import type { OpenedDelivery, Waiting } from './waiting.ts'

/** Written at once, bytes. */
const writeBytes = 512 * 1024

/** A delivery in a file of the spool. */
export class SpooledFile implements Waiting {
  readonly camera: string
  readonly name: SpoolName
  readonly path: string
  readonly bytes: number
  readonly bornMs: number
  readonly doubtful = true
  tried: boolean

  /** @param folder of its camera */
  constructor(of: {
    camera: string
    folder: string
    name: SpoolName
    bytes: number
    bornMs: number
    tried: boolean
  }) {
    this.camera = of.camera
    this.name = of.name
    this.path = join(of.folder, writeSpoolName(of.name))
    this.bytes = of.bytes
    this.bornMs = of.bornMs
    this.tried = of.tried
  }

  get id(): string {
    return this.name.id
  }

  get run(): string {
    return this.name.run
  }

  /** @throws PorchlightError `spool_unreadable` */
  async open(): Promise<OpenedDelivery> {
    const { path } = this
    let file: FileHandle | undefined
    try {
      file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW)
      const handle = file
      const { run, ranges, segments, whole } = await scanSpoolFile(handle)
      if (run !== this.run || ranges.length === 0) throw new PorchlightError('spool_unreadable', path)
      return {
        ranges,
        whole,
        body: async (only) =>
          new SpoolBody(handle, only === undefined ? segments : (await scanSpoolFile(handle, only)).segments),
        [Symbol.asyncDispose]: () => handle.close(),
      }
    } catch (cause) {
      await file?.close()
      if (cause instanceof PorchlightError) throw cause
      throw new PorchlightError('spool_unreadable', path, { cause })
    }
  }
}

/**
 * Writes a body to the disk: in one go, and synced once under a name that says it is unfinished, so that no power cut
 * leaves a torn file under the right one. @returns bytes
 * @throws errors of node:fs
 */
export async function writeSpoolFile(path: string, body: BodyReader): Promise<number> {
  const unfinished = path + unfinishedSuffix
  let bytes = 0
  try {
    // A name that is there already is nobody else's: an earlier try that could not be taken away.
    await rm(unfinished, { force: true })
    await using file = await open(unfinished, 'wx', 0o600)
    for (let piece = await body.read(0, writeBytes); piece !== undefined; ) {
      await file.writeFile(piece.bytes)
      bytes += piece.bytes.byteLength
      piece = piece.last ? undefined : await body.read(bytes, writeBytes)
    }
    await file.datasync()
    await rename(unfinished, path)
    return bytes
  } catch (error) {
    // The first error tells more; what cannot be taken away now is taken away by the next try, or the next start.
    await rm(unfinished, { force: true }).catch(() => undefined)
    throw error
  }
}
