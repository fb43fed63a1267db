import { readFile } from 'node:fs/promises'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { type Mp4Video, readMp4 } from '../sim/mp4-source.ts'
import { InjectedCamera } from '../support/injected-camera.ts'
import { MediaEdge } from '../support/media-edge.ts'
import { seenFrames } from '../support/page-probe.ts'
import { until } from '../support/until.ts'

// Browsers start slowly on a busy machine.
vi.setConfig({ testTimeout: 240_000, hookTimeout: 120_000 })

const scene = async (name: string) => readMp4(await readFile(new URL(`../sim/scene/${name}.mp4`, import.meta.url)))
const neighbour = 'house.garden'

let edge: MediaEdge
let small: Mp4Video
let large: Mp4Video

beforeAll(async () => {
  edge = await MediaEdge.open()
  ;[small, large] = await Promise.all([scene('sub'), scene('main')])
  started(neighbour)
})

afterAll(async () => {
  for (const camera of cameras) camera.close()
  await edge?.[Symbol.asyncDispose]()
})

const cameras: InjectedCamera[] = []
function started(name: string): InjectedCamera {
  const camera = new InjectedCamera(name, small)
  cameras.push(camera)
  edge.sfu.publish(camera.producer)
  camera.start()
  return camera
}

/** New pictures of the camera's come on screen: each was sent a moment ago. */
async function goesOn(view: Page, camera: InjectedCamera): Promise<void> {
  const sinceMs = Date.now()
  await until(
    'pictures sent since',
    async () => {
      const shown = (await seenFrames(view)).filter(({ atMs }) => atMs > sinceMs)
      const fresh = camera.sent.filter(({ sentMs }) => sentMs > sinceMs).map(({ index }) => index)
      return shown.filter(({ barcode }) => barcode !== undefined && fresh.includes(barcode)).length >= 10
    },
    90_000,
  )
}

const lost = (view: Page) =>
  view.evaluate(
    `(async () => [...(await peer.getStats()).values()].find((s) => s.type === 'inbound-rtp' && s.kind === 'video').packetsLost)()`,
  )

const manners = [
  ['sets its clock an hour ahead', { seconds: 3_600 }],
  ['sets its clock an hour back', { seconds: -3_600 }],
  ['sets its clock two seconds ahead', { seconds: 2 }],
  ['begins its numbers anew', { sequence: 40_000 }],
  ['leaves a few numbers out', { sequence: 50 }],
] as const

test.each(manners)('a camera that %s is seen all the same; nobody else notices', async (_, change) => {
  const camera = started('house.door')
  const { view } = await edge.watch('house.door')
  const other = await edge.watch(neighbour)
  const bothGoOn = () => Promise.all([goesOn(view, camera), goesOn(other.view, cameras[0]!)])
  await bothGoOn()
  camera.change(change)
  await bothGoOn()
  expect(await lost(other.view)).toBe(0)
})

test('a camera that changes its parameter sets and size is seen in the new size', async () => {
  const camera = started('house.door')
  const { view } = await edge.watch('house.door')
  await goesOn(view, camera)
  const width = () => view.evaluate(`document.querySelector('video').videoWidth`)
  const before = await width()
  camera.change({ video: large })
  await expect.poll(width, { timeout: 60_000 }).not.toBe(before)
  await goesOn(view, camera)
})

test('packets of another source on the same line are refused; the line goes on with its own', async () => {
  const camera = started('house.door')
  const { view } = await edge.watch('house.door')
  await goesOn(view, camera)
  const { video } = camera.producer
  const head = video!.cache.ring.head
  camera.change({ ssrc: 9999 })
  await until('packets refused', () => video!.refused > 20)
  expect(video!.cache.ring.head).toBe(head)
  camera.change({ ssrc: 1111 })
  await goesOn(view, camera)
})
