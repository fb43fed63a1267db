import { once } from 'node:events'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { startCamera } from '../sim/start-camera.ts'
import { openChromium } from '../support/chromium.ts'
import { AgentHouse, cameraThat, eventThat, GatewayHouse } from '../support/house.ts'
import { framesAfter, watchFrames } from '../support/page-probe.ts'
import { startPushService } from '../support/push-service.ts'
import { decodedRecording, recordingThat } from '../support/recording.ts'
import { openPhone } from '../support/viewer-page.ts'

test('notice, picture and recording of a ring do not wait for each other, nor for a push service that hangs', async ({
  onTestFinished,
}) => {
  const camera = await startCamera({ small: true })
  onTestFinished(() => camera.close())
  const gateway = await GatewayHouse.open(onTestFinished, { push: { allowInsecure: true } })
  const agent = await AgentHouse.open(
    gateway,
    { source: { url: camera.url, transport: 'tcp' }, motion: { enabled: false } },
    onTestFinished,
    { settings: { ring: { holdSeconds: 2 } } },
  )
  await cameraThat(gateway, agent.camera, (notice) => notice.online && notice.state === 'live')
  const { asked } = await hangingPushService(gateway, onTestFinished)
  const page = await openPhone(await openChromium(onTestFinished), gateway)

  // The disk cannot be written: the page shows the ring and the door all the same, and why nothing is kept.
  const recordings = join(gateway.directory, 'gateway/recordings')
  await rm(recordings, { recursive: true, force: true })
  await writeFile(recordings, 'a file')
  const firstRing = await agent.ring()
  const banner = page.getByRole('alert', { name: 'Somebody rings' })
  await banner.waitFor()
  await watchFrames(page)
  await framesAfter(page, firstRing, 10)
  await asked
  const first = await eventThat(gateway, ({ kind, end }) => kind === 'ring' && end !== null)
  await cameraThat(gateway, agent.camera, ({ recordingError }) => recordingError === 'disk_failed')

  // Once it can be written again, the next ring is recorded, although the pushes still hang.
  await rm(recordings)
  await mkdir(recordings)
  await banner.getByRole('button', { name: 'Dismiss' }).click()
  await banner.waitFor({ state: 'detached' })
  const secondRing = await agent.ring()
  await banner.waitFor()
  await framesAfter(page, secondRing, 10)
  const second = await eventThat(gateway, ({ eventId, kind, end }) => {
    return kind === 'ring' && end !== null && eventId !== first.eventId
  })
  await recordingThat(gateway, second.eventId, ({ toMs }) => toMs! >= second.end! - 100)
  const decoded = await decodedRecording(gateway, second.eventId, join(gateway.directory, 'second.mp4'))
  expect(decoded.video.length).toBeGreaterThan(10)
  await cameraThat(gateway, agent.camera, ({ recordingError }) => recordingError === undefined)
})

/** Subscribes to a push service that takes requests and never answers. @returns resolves when it was asked */
async function hangingPushService(
  gateway: GatewayHouse,
  atEnd: (cleanUp: () => Promise<void>) => void,
): Promise<{ asked: Promise<void> }> {
  const asked = Promise.withResolvers<void>()
  const server = createServer(() => asked.resolve()).listen(0, '127.0.0.1')
  await once(server, 'listening')
  atEnd(async () => {
    server.closeAllConnections()
    server.close()
  })
  await using keys = await startPushService()
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}/push`
  const subscribed = await gateway.subscribe({ ...keys.subscription, endpoint })
  expect(subscribed.ok).toBe(true)
  return { asked: asked.promise }
}
