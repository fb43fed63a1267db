import { join } from 'node:path'
import { expect, test } from 'vitest'
import { startCamera } from '../sim/start-camera.ts'
import { openChromium } from '../support/chromium.ts'
import { decodeBarcodes } from '../support/decode.ts'
import { AgentHouse, cameraThat, eventThat, GatewayHouse } from '../support/house.ts'
import { framesAfter, watchFrames } from '../support/page-probe.ts'
import { startPushService } from '../support/push-service.ts'
import { decodedRecording, recordingThat } from '../support/recording.ts'
import { openPhone } from '../support/viewer-page.ts'

test('a ring is an event, a notice, a picture, a push and a recording with its pre-roll, although motion is muted', async ({
  onTestFinished,
}) => {
  const camera = await startCamera()
  onTestFinished(() => camera.close())
  const service = await startPushService()
  onTestFinished(() => service.close())
  const gateway = await GatewayHouse.open(onTestFinished, { push: { allowInsecure: true } })
  const agent = await AgentHouse.open(
    gateway,
    { source: { url: camera.url, sub: camera.subUrl, transport: 'tcp' }, motion: { enabled: false } },
    onTestFinished,
    { settings: { ring: { holdSeconds: 3 } } },
  )
  await cameraThat(gateway, agent.camera, (notice) => notice.online && notice.state === 'live')
  const subscribed = await gateway.subscribe(service.subscription)
  expect(subscribed.ok).toBe(true)
  const browser = await openChromium(onTestFinished)
  const page = await openPhone(browser, gateway)
  // The pre-roll of ten seconds must have filled, from a keyframe on: a camera met in the middle of a group has none before
  // its next one, 4 s later at most.
  const filledAt = Date.now() + 15_000
  await expect.poll(() => camera.frames(filledAt).length, { timeout: 40_000 }).toBeGreaterThan(0)

  const pressedAt = await agent.ring()

  await page.getByRole('alert', { name: 'Somebody rings' }).waitFor()
  await watchFrames(page)
  const [picture] = await framesAfter(page, pressedAt, 1)
  expect(camera.framesSentAt(picture!.barcode!)).toBeDefined()
  const push = await service.push(1)
  expect(JSON.parse(push.payload)).toMatchObject({ kind: 'ring', camera: agent.camera })

  const event = await eventThat(gateway, ({ kind, end }) => kind === 'ring' && end !== null)
  expect(event.begin).toBeGreaterThan(pressedAt - 1_000)
  // The live part is there first; the pre-roll follows it at low priority.
  const recording = await recordingThat(
    gateway,
    event.eventId,
    ({ state, fromMs, gaps }) => state === 'complete' && fromMs! <= event.begin - 9_500 && gaps.length === 0,
  )
  expect(recording.toMs!).toBeGreaterThanOrEqual(event.end! - 100)

  // Every picture between its first and its last is there once and in order: footage and live part meet without a seam.
  const file = join(gateway.directory, 'ring.mp4')
  const decoded = await decodedRecording(gateway, event.eventId, file)
  expect(decoded.audio.length).toBeGreaterThan(100)
  const codes = await decodeBarcodes(file)
  const steps = codes.slice(1).map((code, index) => (code! - codes[index]! + camera.frameCount) % camera.frameCount)
  expect(new Set(steps)).toEqual(new Set([1]))

  const still = await gateway.fetch(`/api/events/${event.eventId}/still.jpg`)
  expect(still.headers.get('content-type')).toBe('image/jpeg')
  expect((await gateway.events()).filter(({ kind }) => kind === 'motion')).toEqual([])
})
