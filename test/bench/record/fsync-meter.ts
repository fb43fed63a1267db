/**
 * Loaded ahead of everything in each thread of the recorder's process (`--import`): tells of every fsync of a file and of
 * every commit of the index, which is one fsync of SQLite's (its checkpoints, one in 16 MB, are not seen), and makes each as
 * slow as a bad SD card where FSYNC_DELAY_MS=`least-most` says so.
 */
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { meterCommits } from './commit-meter.ts'
import { fsyncChannel, type Synced } from './fsync-channel.ts'

const channel = new BroadcastChannel(fsyncChannel)
channel.unref()
const [leastMs, mostMs] = (process.env.FSYNC_DELAY_MS ?? '0-0').split('-').map(Number) as [number, number]
const nobody = new Int32Array(new SharedArrayBuffer(4))
let turn = 0

function synced(what: Synced): void {
  // Not at random, so that two runs are alike.
  const delayMs = leastMs + ((turn++ * 37) % (mostMs - leastMs + 1))
  if (delayMs > 0) Atomics.wait(nobody, 0, 0, delayMs)
  channel.postMessage(what)
}

for (const name of ['fsyncSync', 'fdatasyncSync'] as const) {
  const real = fs[name]
  fs[name] = (descriptor) => {
    real(descriptor)
    synced('file')
  }
}
syncBuiltinESMExports()
meterCommits(() => synced('index'))
