/**
 * A process that records synthetic cameras with the recorder, the disk worker and the index as they are. Its one argument is
 * JSON: `{ directory, streams }`. Each line on stdin is a number, and
 * is answered by a line of JSON: what has come so far.
 */
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Recorder } from '../../../gateway/recorder/recorder.ts'
import { openStore } from '../../../gateway/store/open-store.ts'
import { quietLog } from '../../support/quiet-log.ts'
import { ScriptedSfu } from '../../support/scripted-sfu.ts'
import { fsyncChannel, type Synced } from './fsync-channel.ts'
import { type Counts, groupMs, SyntheticCamera } from './synthetic-camera.ts'

const { directory, streams } = JSON.parse(process.argv[2]!) as { directory: string; streams: number }
const { db } = await openStore(join(directory, 'index.sqlite'), quietLog)
const sfu = new ScriptedSfu()
const counts: Counts = { units: 0, bytes: 0, fsyncs: 0, commits: 0, errors: 0, latestMs: 0 }
const recorder = new Recorder({
  ...{ db, sfu, directory: join(directory, 'recordings'), ffmpeg: undefined, log: quietLog, now: Date.now },
  askFootage: () => undefined,
})
recorder.onState((_, { error }) => {
  if (error !== undefined) counts.errors++
})
await recorder.start()
new BroadcastChannel(fsyncChannel).onmessage = ({ data }: { data: Synced }) => {
  counts[data === 'index' ? 'commits' : 'fsyncs']++
}

// As in life their keyframes come at different times.
const cameras = Array.from({ length: streams }, (_, index) => {
  const name = `house.camera-${index}`
  recorder.record(name, 'continuous')
  return new SyntheticCamera(sfu.readers.get(name)!, (index * groupMs) / streams)
})
const beganMs = performance.now()
setInterval(() => {
  for (const camera of cameras) camera.tick(performance.now() - beganMs, counts)
}, 2)

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify({ recorded: true, asked: Number(line), ...counts })}\n`)
  counts.latestMs = 0
}
await recorder.close()
process.exit(0)
