import { mkdir, readdir, readFile, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { Spool } from '../../../../device/footage/spool.ts'
import { FootageUploader } from '../../../../device/footage/uploader.ts'
import type { Span } from '../../../../device/preroll/ring.ts'
import { decodeFootage, FootageReceiver } from '../../../support/footage-receiver.ts'
import { quietLog } from '../../../support/quiet-log.ts'
import { canMount, smallDisk } from '../../../support/small-disk.ts'
import { tempDir } from '../../../support/temp-dir.ts'
import { pictures, sound } from '../frames.ts'

const hourMs = 3_600_000
const videoFormat = { codec: 'h264', width: 640, height: 360 } as const
const audioFormat = { codec: 'pcmu', clockRate: 8_000, channels: 1 } as const

const span = (from: number, count: number, bytes = 2_000): Span => ({
  videoFormat,
  audioFormat,
  units: pictures({ from, count, bytes }),
  audio: sound(2, 1_000_000 + from * 40, from),
})
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index)

/** Both clocks of the device. */
let clock: { wall: number; monotonic: number }
let directory: string

beforeEach(async () => {
  clock = { wall: 1_800_000_000_000, monotonic: 5_000 }
  directory = join(await tempDir(), 'spool')
})

const pass = (ms: number) => {
  clock.wall += ms
  clock.monotonic += ms
}

function openSpool(limits: { maxBytes?: number; maxAgeMs?: number } = {}): Promise<Spool> {
  return Spool.open({
    ...{ directory, maxBytes: 1 << 30, maxAgeMs: 72 * hourMs, ...limits },
    ...{ now: () => clock.wall, monotonic: () => clock.monotonic, log: quietLog },
  })
}

/** An agent's uploader: of boot `run`, its gateway at `api`. */
function uploaderOf(
  spool: Spool | undefined,
  { run = 'boot-0001', api = 'http://127.0.0.1:9', holdMs = 20_000, queueBytes = 1 << 26 } = {},
): FootageUploader {
  const uploader = new FootageUploader({
    ...{ bootId: run, spool, random: () => 0.01, log: quietLog },
    limits: { maxKbps: 1_000_000, queueBytes, maxHours: 72, holdMs },
    target: { api, token: () => 'device-token', authority: async () => undefined },
    monotonic: () => clock.monotonic,
  })
  onTestFinished(() => uploader.close())
  return uploader
}

async function openReceiver(): Promise<{ receiver: FootageReceiver; api: string }> {
  const receiver = new FootageReceiver()
  onTestFinished(() => receiver.close())
  return { receiver, api: await receiver.listen() }
}

/** Footage of boot-0001 that waits, one file for each span. */
async function leave(...spans: Span[]): Promise<void> {
  for (const one of spans) {
    const uploader = uploaderOf(await openSpool())
    uploader.enqueue('door', one)
    await uploader.close()
  }
}

const filesOf = async (camera = 'door') => (await readdir(join(directory, camera)).catch(() => [])).sort()

/** Calls again with each turn of the event loop: for what the disk does by itself. */
async function settled(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve))
}

describe('footage that waits', () => {
  it('is on the disk after a restart, and arrives once, byte for byte', async () => {
    await leave(span(0, 10), span(10, 10))
    const { receiver, api } = await openReceiver()
    receiver.missing = (_run, from, to) => [[from, to]]
    const uploader = uploaderOf(await openSpool(), { run: 'boot-0002', api })
    expect(uploader.spooled).toMatchObject({ files: 2 })
    uploader.start()
    await receiver.until(() => receiver.complete.length === 2)
    expect(receiver.frames).toEqual(range(0, 19))
    expect(receiver.asked).toEqual(['door boot-0001 0-9', 'door boot-0001 10-19'])
    await settled(() => uploader.delivered === 2 && uploader.spooled?.files === 0)
    await uploader.close()
    expect(await filesOf()).toEqual([])
    expect(uploader.spooled).toEqual({ bytes: 0, files: 0 })
  })

  it('is found behind a file that the disk does not give', async () => {
    await leave(span(0, 10), span(10, 10))
    // half of the first is left over from a power cut, and its name is taken by something that cannot be replaced
    const [first] = await filesOf()
    const path = join(directory, 'door', first!)
    await rename(path, `${path}.part`)
    await mkdir(join(path, 'full'), { recursive: true })
    expect((await openSpool()).files).toHaveLength(1)
  })

  it('goes on after a restart where the gateway has come to, under the same id', async () => {
    const { receiver, api } = await openReceiver()
    let calls = 0
    const cut = Promise.withResolvers<void>()
    receiver.fault = (request) => {
      calls += 1
      if (calls === 1) return false
      request.socket.destroy()
      cut.resolve()
      return true
    }
    const first = uploaderOf(await openSpool(), { api })
    first.enqueue('door', span(0, 1_000))
    await cut.promise
    await first.close()
    receiver.fault = undefined
    uploaderOf(await openSpool(), { run: 'boot-0002', api }).start()
    await receiver.until(() => receiver.complete.length === 1)
    expect(receiver.frames).toEqual(range(0, 999))
    expect(receiver.receivedBytes).toBe(receiver.complete[0]!.bytes.byteLength)
  })

  it('of which the gateway has some meanwhile is asked about, and only the rest is sent', async () => {
    await leave(span(0, 100))
    const { receiver, api } = await openReceiver()
    receiver.missing = () => [[30, 39]]
    uploaderOf(await openSpool(), { run: 'boot-0002', api }).start()
    await receiver.until(() => receiver.complete.length === 1)
    expect(receiver.frames).toEqual(range(30, 39))
  })

  it('costs no write while the gateway takes it, nor before it has waited for a while; then one for all', async () => {
    const { receiver, api } = await openReceiver()
    const spool = await openSpool()
    const uploader = uploaderOf(spool, { api })
    uploader.enqueue('door', span(0, 10))
    await receiver.until(() => receiver.complete.length === 1)
    const away = uploaderOf(spool)
    for (let group = 1; group < 5; group += 1) {
      away.enqueue('door', span(group * 25, 25))
      pass(4_000)
    }
    expect(spool.files).toEqual([])
    pass(15_000)
    away.enqueue('door', span(125, 25))
    await settled(() => away.queuedBytes === 0)
    // One that was tried meanwhile goes alone, because its bytes must stay as they were.
    expect(spool.files.length).toBeLessThanOrEqual(2)
    expect(spool.files[0]!.name.from).toBe(25)
    expect(spool.files.at(-1)!.name.to).toBe(149)
  })

  it('leaves memory before it is full, and stays within its bounds in memory and on the disk', async () => {
    const spool = await openSpool({ maxBytes: 400_000 })
    const uploader = uploaderOf(spool, { queueBytes: 200_000 })
    let most = 0
    for (let index = 0; index < 100; index += 1) {
      uploader.enqueue('door', span(index * 10, 10))
      most = Math.max(most, uploader.queuedBytes)
      await settled(() => uploader.queuedBytes < 150_000)
    }
    expect(most).toBeLessThanOrEqual(200_000)
    await uploader.close()
    expect(uploader.dropped).toBeGreaterThan(0)
    expect(spool.files.at(-1)?.name.to).toBe(999)
    const { receiver, api } = await openReceiver()
    receiver.missing = (_run, from, to) => [[from, to]]
    const next = uploaderOf(await openSpool({ maxBytes: 400_000 }), { run: 'boot-0002', api })
    next.start()
    await receiver.until(() => receiver.frames.includes(999))
    expect(receiver.receivedBytes).toBeLessThanOrEqual(400_000)
  })

  it('that the bounds of the spool drop is told to the gateway, the oldest first', async () => {
    await leave(span(0, 10), span(10, 10), span(20, 10))
    const { receiver, api } = await openReceiver()
    receiver.missing = (_run, from, to) => [[from, to]]
    uploaderOf(await openSpool({ maxBytes: 50_000 }), { run: 'boot-0002', api }).start()
    await receiver.until(() => receiver.complete.length === 2)
    expect(receiver.frames).toEqual(range(10, 29))
    expect(receiver.gone).toEqual([{ camera: 'door', run: 'boot-0001', ranges: [[0, 9]], reason: 'queue_full' }])
  })

  it('grows old by the hours that pass, not by a clock that is set', async () => {
    clock.wall = 60_000 // 1970: no network time yet
    await leave(span(0, 10))
    clock.wall = 1_800_000_000_000
    await leave(span(10, 10))
    pass(73 * hourMs)
    const { receiver, api } = await openReceiver()
    receiver.missing = (_run, from, to) => [[from, to]]
    uploaderOf(await openSpool(), { run: 'boot-0002', api }).start()
    await receiver.until(() => receiver.complete.length === 1)
    expect(receiver.frames).toEqual(range(0, 9))
    expect(receiver.gone).toEqual([{ camera: 'door', run: 'boot-0001', ranges: [[10, 19]], reason: 'too_old' }])
  })

  it('of an earlier run is not called gone when the gateway asks for it', async () => {
    await leave(span(10, 10))
    const { receiver, api } = await openReceiver()
    receiver.missing = (_run, from, to) => [[from, to]]
    const uploader = uploaderOf(await openSpool(), { run: 'boot-0002', api })
    await uploader.lacks({ camera: 'door', run: 'boot-0001' }, [0, 24])
    await receiver.until(() => receiver.complete.length === 1)
    expect(receiver.gone[0]).toMatchObject({
      ranges: [
        [0, 9],
        [20, 24],
      ],
      reason: 'not_kept',
    })
  })
})

describe('a spool that is not as it was left', () => {
  it('is delivered up to the damage; the rest is told as gone', async () => {
    await leave(span(0, 10))
    const [name = ''] = await filesOf()
    await truncate(join(directory, 'door', name), 15_000)
    const { receiver, api } = await openReceiver()
    receiver.missing = (_run, from, to) => [[from, to]]
    uploaderOf(await openSpool(), { run: 'boot-0002', api }).start()
    await receiver.until(() => receiver.gone.length === 1)
    expect(receiver.frames).toEqual(range(0, 6))
    expect(receiver.gone[0]!.ranges).toEqual([[7, 9]])
    expect(receiver.complete[0]!.id).not.toBe(name.split('.')[3])
  })

  it('lets others pass a file that the disk does not give, and keeps that one', async () => {
    await leave(span(0, 10), span(10, 10), span(20, 10))
    const [unreadable = '', removed = ''] = await filesOf()
    const { receiver, api } = await openReceiver()
    receiver.missing = (_run, from, to) => [[from, to]]
    const spool = await openSpool()
    await rm(join(directory, 'door', unreadable))
    await mkdir(join(directory, 'door', unreadable))
    await rm(join(directory, 'door', removed))
    uploaderOf(spool, { run: 'boot-0002', api }).start()
    await receiver.until(() => receiver.complete.length === 1 && receiver.gone.length === 1)
    expect(receiver.frames).toEqual(range(20, 29))
    expect(receiver.gone[0]!.ranges).toEqual([[10, 19]])
    expect(spool.files.map(({ name }) => name.from)).toContain(0)
  })

  it('takes up a file that the power cut before it had its name', async () => {
    await leave(span(0, 10))
    const [name = ''] = await filesOf()
    const bytes = await readFile(join(directory, 'door', name))
    await writeFile(join(directory, 'door', `${name.replace('.0-9.', '.20-29.')}.part`), bytes.subarray(0, 9_000))
    expect((await openSpool()).files.map((file) => file.name.from)).toEqual([0, 20])
    expect((await filesOf()).filter((file) => file.endsWith('.part'))).toEqual([])
  })

  it('leaves foreign files and links alone, throws empty ones away, and goes on', async () => {
    await leave(span(0, 10))
    const [name = ''] = await filesOf()
    const outside = await tempDir()
    await writeFile(join(outside, name), 'not ours')
    await writeFile(join(directory, 'door', name.replace('.0-9.', '.1-9.')), '')
    await writeFile(join(directory, 'door', 'notes.txt'), 'of somebody')
    await symlink(join(outside, name), join(directory, 'door', name.replace('.0-9.', '.2-9.')))
    await symlink(outside, join(directory, 'gate'))
    await mkdir(join(directory, 'Not A Camera'))
    expect((await openSpool()).files.map((file) => file.name.from)).toEqual([0])
    expect(await filesOf()).toHaveLength(3)
    expect(await readFile(join(outside, name), 'utf8')).toBe('not ours')
  })

  it('that cannot be written is told with its code, and memory bears what it bore before', async () => {
    await writeFile(directory, 'a file where the directory should be')
    const spool = await openSpool()
    expect(spool.error).toBe('spool_unwritable')
    const { receiver, api } = await openReceiver()
    receiver.fault = (request) => request.socket.destroy() !== undefined
    const uploader = uploaderOf(spool, { api, holdMs: 0, queueBytes: 100_000 })
    for (let index = 0; index < 10; index += 1) uploader.enqueue('door', span(index * 10, 10))
    expect(uploader.queuedBytes).toBeLessThanOrEqual(100_000)
    receiver.fault = undefined
    uploader.wake()
    await receiver.until(() => receiver.frames.includes(99))
    expect(decodeFootage(receiver.complete.at(-1)!.bytes).units.at(-1)).toBe(99)
  })
})

describe.skipIf(!canMount())('a disk that is full, or read-only', () => {
  it('is told with its code while it lasts; nothing that fits into memory is lost, and no half file stays', async () => {
    const disk = smallDisk(directory, 64)
    onTestFinished(() => disk.close())
    const spool = await openSpool()
    const uploader = uploaderOf(spool, { holdMs: 0 })
    // First it is full, then read-only.
    const ends = [() => disk.resize(1_024), () => disk.writable()]
    for (const [index, mend] of ends.entries()) {
      uploader.enqueue('door', span(index * 100, 100))
      await settled(() => spool.error === 'spool_unwritable')
      expect(uploader.queuedBytes).toBeGreaterThan(200_000)
      expect((await filesOf()).filter((name) => name.endsWith('.part'))).toEqual([])
      mend()
      pass(60_000)
      uploader.enqueue('door', span(index * 100 + 1_000, 1))
      await settled(() => uploader.queuedBytes === 0)
      expect(spool.error).toBeUndefined()
      disk.readOnly()
    }
    disk.writable()
    await uploader.close()
    const { receiver, api } = await openReceiver()
    receiver.missing = (_run, from, to) => [[from, to]]
    const next = uploaderOf(await openSpool(), { run: 'boot-0002', api })
    next.start()
    await receiver.until(() => receiver.frames.length === 202)
    expect(receiver.frames.toSorted((one, other) => one - other)).toEqual([...range(0, 199), 1_000, 1_100])
    await next.close()
  })
})
