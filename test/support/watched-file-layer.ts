import { fstatSync } from 'node:fs'
import { getEnvironmentData, setEnvironmentData } from 'node:worker_threads'
import { type FileLayer, fileLayer as realFiles } from '../../gateway/recorder/file-layer.ts'

const key = 'porchlight-watched-files'
/** Places in the memory that test and disk workers share. */
const [syncs, syncedBytes, held] = [0, 1, 2] as const

/** The disk takes its time for what is of this camera while `hold` says so. */
export const slowCamera = 'slow.camera'

/** A disk that counts its syncs, for recorders and disks that are made with `fileLayer: watchedFiles` afterwards. */
export function watchedDisk() {
  const memory = new Int32Array(new SharedArrayBuffer(12))
  setEnvironmentData(key, memory)
  return {
    /** How many syncs of files and directories have ended. */
    syncs: () => Atomics.load(memory, syncs),
    /** Size of the file that was synced last, bytes. */
    syncedBytes: () => Atomics.load(memory, syncedBytes),
    /** Resolves at the next sync after the first `seen`. */
    async nextSync(seen: number): Promise<void> {
      await Atomics.waitAsync(memory, syncs, seen).value
    },
    /** From now on no file of the slow camera is synced until `release`. */
    hold() {
      Atomics.store(memory, held, 1)
    },
    release() {
      Atomics.store(memory, held, 0)
      Atomics.notify(memory, held)
    },
  }
}

export const watchedFiles = import.meta.url

function layer(memory: Int32Array): FileLayer {
  const slow = new Set<number>()
  const ended = () => {
    Atomics.add(memory, syncs, 1)
    Atomics.notify(memory, syncs)
  }
  return {
    ...realFiles,
    openSync: (path, ...rest) => {
      const descriptor = realFiles.openSync(path, ...rest)
      if (String(path).includes(slowCamera)) slow.add(descriptor)
      else slow.delete(descriptor)
      return descriptor
    },
    fsyncSync: (descriptor) => {
      realFiles.fsyncSync(descriptor)
      ended()
    },
    fdatasyncSync: (descriptor) => {
      if (slow.has(descriptor)) Atomics.wait(memory, held, 1)
      realFiles.fdatasyncSync(descriptor)
      Atomics.store(memory, syncedBytes, fstatSync(descriptor).size)
      ended()
    },
  }
}

const shared = getEnvironmentData(key) as Int32Array | undefined

/** Read by the disk workers, each in its own thread. */
export const fileLayer: FileLayer = shared ? layer(shared) : realFiles
