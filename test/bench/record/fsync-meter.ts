/**
 * Loaded ahead of everything in each thread of the recorder's process (`--import`): tells of every fsync of a file, and makes
 * it as slow as a bad SD card where FSYNC_DELAY_MS=`least-most` says so. What SQLite syncs in native code is not seen here.
 */
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { fsyncChannel } from './fsync-channel.ts'

const channel = new BroadcastChannel(fsyncChannel)
channel.unref()
const [leastMs, mostMs] = (process.env.FSYNC_DELAY_MS ?? '0-0').split('-').map(Number) as [number, number]
const nobody = new Int32Array(new SharedArrayBuffer(4))
let turn = 0

for (const name of ['fsyncSync', 'fdatasyncSync'] as const) {
  const real = fs[name]
  fs[name] = (descriptor) => {
    real(descriptor)
    // Not at random, so that two runs are alike.
    const delayMs = leastMs + ((turn++ * 37) % (mostMs - leastMs + 1))
    if (delayMs > 0) Atomics.wait(nobody, 0, 0, delayMs)
    channel.postMessage(name)
  }
}
syncBuiltinESMExports()
