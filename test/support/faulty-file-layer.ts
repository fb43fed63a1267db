import { getEnvironmentData, setEnvironmentData } from 'node:worker_threads'
import { type FileLayer, fileLayer as realFiles } from '../../gateway/recorder/file-layer.ts'

const key = 'porchlight-faulty-files'
/** What changes the disk, or waits for it. */
const counted = [
  'chmodSync',
  'closeSync',
  'fdatasyncSync',
  'fsyncSync',
  'ftruncateSync',
  'mkdirSync',
  'openSync',
  'renameSync',
  'writeSync',
] as const satisfies readonly (keyof FileLayer)[]
export const faults = ['ENOSPC', 'EIO', 'EROFS'] as const
export type Fault = (typeof faults)[number]

/** Places in the memory that test and disk worker share. */
const [calls, failFrom, failTo, fault] = [0, 1, 2, 3] as const

/**
 * A disk that fails when it is told to, for recorders that are made with `fileLayer: faultyFiles` afterwards.
 * It counts its calls from 1 on.
 */
export function faultyDisk() {
  const memory = new Int32Array(new SharedArrayBuffer(16))
  setEnvironmentData(key, memory)
  return {
    /** How many calls there were. */
    calls: () => Atomics.load(memory, calls),
    /** Calls number `from` to `to` (inclusive) fail. */
    fail(kind: Fault, from: number, to: number) {
      Atomics.store(memory, fault, faults.indexOf(kind))
      Atomics.store(memory, failFrom, from)
      Atomics.store(memory, failTo, to)
    },
    heal() {
      Atomics.store(memory, failTo, 0)
    },
  }
}

export const faultyFiles = import.meta.url

/** Counts a call. @returns the error that it is to fail with */
function failure(memory: Int32Array, name: string): Error | undefined {
  const call = Atomics.add(memory, calls, 1) + 1
  if (call < Atomics.load(memory, failFrom) || call > Atomics.load(memory, failTo)) return undefined
  const code = faults[Atomics.load(memory, fault)]!
  return Object.assign(new Error(`${code}: injected at call ${call}, ${name}`), { code })
}

function layer(memory: Int32Array): FileLayer {
  const wrapped = counted.map((name) => {
    const call = realFiles[name] as (...values: unknown[]) => unknown
    return [
      name,
      (...values: unknown[]) => {
        const error = failure(memory, name)
        if (error === undefined) return call(...values)
        // a close that fails has closed all the same, and a disk that fills up takes a part of what is written
        if (name === 'closeSync') call(...values)
        if (name === 'writeSync') call(...values.with(3, Number(values[3]) >> 1))
        throw error
      },
    ]
  })
  return { ...realFiles, ...(Object.fromEntries(wrapped) as Pick<FileLayer, (typeof counted)[number]>) }
}

const shared = getEnvironmentData(key) as Int32Array | undefined

/** Read by the disk worker, in its own thread. */
export const fileLayer: FileLayer = shared ? layer(shared) : realFiles
