import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { readMp4 } from '../sim/mp4-source.ts'
import { InjectedCamera } from '../support/injected-camera.ts'
import { MediaEdge, watcher } from '../support/media-edge.ts'
import { framesAfter, seenFrames } from '../support/page-probe.ts'

const camera = 'house.door'
/** The small stream: a software decoder on a busy machine keeps up with it. */
const scene = fileURLToPath(new URL('../sim/scene/sub.mp4', import.meta.url))

// Browsers start slowly on a busy machine.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

let edge: MediaEdge
let injected: InjectedCamera
const heard: Uint8Array[] = []

beforeAll(async () => {
  edge = await MediaEdge.open()
  const talk = { codec: 'pcmu', heard: (bytes: Uint8Array) => heard.push(bytes) } as const
  injected = new InjectedCamera(camera, readMp4(await readFile(scene)), talk)
  edge.sfu.publish(injected.producer)
  injected.start()
})

afterAll(async () => {
  injected?.close()
  await edge?.[Symbol.asyncDispose]()
})

const watch = () => edge.watch(camera)

test('Chromium shows the camera’s pictures, in order, without waiting for a keyframe', async () => {
  const { view } = await watch()
  const frames = await framesAfter(view, 0, 20)
  for (const { barcode, atMs } of frames) {
    const sent = injected.sent.findLast(({ index, sentMs }) => index === barcode && sentMs <= atMs)
    expect(sent).toBeDefined()
  }
  const sent = frames.map(({ barcode, atMs }) =>
    injected.sent.findLastIndex(({ index, sentMs }) => index === barcode && sentMs <= atMs),
  )
  expect(sent).toEqual(sent.toSorted((a, b) => a - b))
})

test('sound arrives, and the sender reports line it up', async () => {
  const { view } = await watch()
  await framesAfter(view, 0, 1)
  const stat = (kind: string, field: string) =>
    `(async () => [...(await peer.getStats()).values()].find((s) => s.type === 'inbound-rtp' && s.kind === '${kind}')?.${field} ?? 0)()`
  await expect.poll(() => view.evaluate(stat('audio', 'packetsReceived')), { timeout: 30_000 }).toBeGreaterThan(20)
  const reports = `(async () => [...(await peer.getStats()).values()].filter((s) => s.type === 'remote-outbound-rtp').length)()`
  await expect.poll(() => view.evaluate(reports), { timeout: 30_000 }).toBe(2)
  expect(await view.evaluate(stat('audio', 'packetsLost'))).toBe(0)
})

test('a second viewer joins, and the first gets every picture all the same', async () => {
  const first = await watch()
  await framesAfter(first.view, 0, 5)
  const second = await watch()
  await framesAfter(second.view, 0, 5)
  const lost = await first.view.evaluate(
    `(async () => [...(await peer.getStats()).values()].find((s) => s.type === 'inbound-rtp' && s.kind === 'video').packetsLost)()`,
  )
  expect(lost).toBe(0)
  expect((await seenFrames(first.view)).length).toBeGreaterThan(5)
  expect(edge.sfu.viewers(camera)).toBeGreaterThanOrEqual(2)
})

test('talk reaches the device from whoever holds the floor, and from nobody else', async () => {
  const { view, id } = await watch()
  await framesAfter(view, 0, 1)
  await view.evaluate(`(async () => {
    const context = new AudioContext()
    await context.resume()
    const tone = context.createOscillator()
    const out = context.createMediaStreamDestination()
    tone.connect(out)
    tone.start()
    await talk.sender.replaceTrack(out.stream.getAudioTracks()[0])
  })()`)
  await expect
    .poll(
      () =>
        view.evaluate(
          `(async () => [...(await peer.getStats()).values()].find((s) => s.type === 'outbound-rtp')?.packetsSent ?? 0)()`,
        ),
      { timeout: 30_000 },
    )
    .toBeGreaterThan(5)
  expect(heard).toHaveLength(0)
  edge.viewers.take(camera, id, watcher)
  await expect.poll(() => heard.length, { timeout: 30_000 }).toBeGreaterThan(5)
  expect(heard[0]![1]! & 0x7f).toBe(0)
})

test('the figures of a session are those of its packets, and go with it', async () => {
  const { view, id } = await watch()
  await framesAfter(view, 0, 20)
  const figures = () => edge.book.reports().find((report) => report.id === id)
  // They are complete once the browser has answered a sender report.
  await expect.poll(() => figures()?.rttMs ?? null, { timeout: 30_000 }).not.toBeNull()
  const report = figures()!
  expect(report).toMatchObject({
    ...{ camera, role: 'viewer', state: 'live', lost: 0, lossRatio: 0 },
    codecs: { video: 'h264', audio: 'pcmu', talk: 'pcmu' },
  })
  expect(report.remoteAddress).toMatch(/^(\d+\.){3}\d+:\d+$/)
  const { rttMs, jitterMs, estimate, stages, packetsSent, bitrate } = report
  for (const value of [rttMs, jitterMs, ...Object.values(stages)]) {
    expect(value).toBeGreaterThanOrEqual(0)
    expect(value).toBeLessThan(60_000)
  }
  expect(stages.total).toBeGreaterThan(0)
  expect(estimate).toBeGreaterThan(0)
  // The scene’s small stream with G.711, as far as a busy machine keeps up; its group at the beginning comes faster.
  expect(bitrate).toBeGreaterThan(10_000)
  expect(bitrate).toBeLessThan(20_000_000)
  const received = await view.evaluate(`(async () => [...(await peer.getStats()).values()]
    .filter((s) => s.type === 'inbound-rtp').reduce((sum, s) => sum + s.packetsReceived, 0))()`)
  expect(packetsSent).toBeGreaterThan(20)
  expect(figures()!.packetsSent).toBeGreaterThanOrEqual(received as number)
  await edge.viewers.leave(id, watcher)
  expect(figures()).toBeUndefined()
})

test('a viewer who leaves is forgotten; the session cannot be ended by another', async () => {
  const { id } = await watch()
  const count = edge.viewers.sessions
  await expect(edge.viewers.leave(id, { ...watcher, userId: 'u2' })).rejects.toThrow('You may not do that.')
  await edge.viewers.leave(id, watcher)
  await edge.viewers.leave(id, watcher)
  expect(edge.viewers.sessions).toBe(count - 1)
})
