import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { Disk, type DiskFile } from '../../gateway/recorder/disk.ts'
import { videoUnits } from '../support/coded-samples.ts'
import { beginEvent, camera, recorderHouse } from '../support/recorder-house.ts'
import { tempDir } from '../support/temp-dir.ts'
import { slowCamera, watchedDisk, watchedFiles } from '../support/watched-file-layer.ts'

const startMs = 1_700_000_000_000
const gop = 100
/** A sync of a bad SD card takes up to 200 ms: so many make a second. */
const mostSyncs = 5

test('a part of an event is on the disk with its group of pictures: no timer and few fsyncs between', async () => {
  const disk = watchedDisk()
  const units = await videoUnits({ seconds: 9, gop })
  const home = await recorderHouse({ fileLayer: watchedFiles })
  // no timer of the recorder's ever fires
  vi.useFakeTimers({ toFake: ['setTimeout', 'setInterval'] })
  onTestFinished(() => void vi.useRealTimers())
  await beginEvent(home, 'event-01', startMs)
  for (const end of [gop, 2 * gop]) {
    const before = disk.syncs()
    const sizeBefore = disk.syncedBytes()
    // the keyframe of the next group is how a group is known to have ended
    home.sfu.play(camera, 'boot-0001', units.slice(end - gop + Number(end > gop), end + 1))
    const bytes = units
      .slice(end - gop, end)
      .reduce((sum, { data }) => sum + data.reduce((of, nal) => of + nal.length, 0), 0)
    while (disk.syncedBytes() < sizeBefore + bytes) await disk.nextSync(disk.syncs())
    expect(disk.syncs() - before).toBeLessThanOrEqual(end === gop ? mostSyncs : 1)
  }
})

test('a disk that takes its time for one of many files delays only few others', async () => {
  const layer = watchedDisk()
  const directory = join(await tempDir(), 'recordings')
  const disk = new Disk({ directory, fileLayer: watchedFiles }, async (claiming) => {
    await claiming.claim({ expected: undefined, fresh: 'identity-1', known: [] })
  })
  onTestFinished(() => disk.close())
  const piece = () => [Buffer.alloc(100, 1).subarray()]
  const cameras = [slowCamera, ...Array.from({ length: 11 }, (_, index) => `house.camera-${index}`)]
  const files: DiskFile[] = []
  for (const of of cameras) files.push((await disk.create(`${of}/2026-11-21/120000.000-live`, piece())).file)
  const slow = files[0]!
  const others = files.slice(4)
  layer.hold()
  let slowIsDone = false
  const waiting = disk.append(slow, piece()).then(() => {
    slowIsDone = true
  })
  for (const other of others) await disk.append(other, piece())
  expect(slowIsDone).toBe(false)
  layer.release()
  await waiting
})
