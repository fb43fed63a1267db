import { join } from 'node:path'
import { expect, test } from 'vitest'
import { startCamera } from '../sim/start-camera.ts'
import { openChromium } from '../support/chromium.ts'
import { AgentHouse, cameraThat, eventThat, GatewayHouse } from '../support/house.ts'
import { framesAfter, watchFrames } from '../support/page-probe.ts'
import { decodedRecording, recordingThat } from '../support/recording.ts'
import { openPhone, pictureIs, showCamera } from '../support/viewer-page.ts'

test('a gateway that was killed: device and page come back by themselves, the cut recording plays to its last second', async ({
  onTestFinished,
}) => {
  const camera = await startCamera({ small: true })
  onTestFinished(() => camera.close())
  const gateway = await GatewayHouse.open(onTestFinished)
  const agent = await AgentHouse.open(
    gateway,
    { source: { url: camera.url, transport: 'tcp' }, motion: { enabled: false } },
    onTestFinished,
    { settings: { ring: { holdSeconds: 60 } } },
  )
  await cameraThat(gateway, agent.camera, (notice) => notice.online && notice.state === 'live')
  const page = await openPhone(await openChromium(onTestFinished), gateway)
  await showCamera(page, agent.camera)
  await watchFrames(page)
  await framesAfter(page, 0, 10)
  await agent.ring()
  const event = await eventThat(gateway, ({ kind }) => kind === 'ring')
  const grown = await recordingThat(gateway, event.eventId, ({ toMs }) => toMs! > event.begin + 6_000)

  await gateway.process.kill()
  const killedAt = Date.now()
  await pictureIs(page, 'reconnecting')
  await gateway.start()

  await pictureIs(page, 'live', 90_000)
  const [frame] = await framesAfter(page, killedAt + 1_000, 1, 60_000)
  expect(camera.framesSentAt(frame!.barcode!)).toBeGreaterThan(killedAt)
  await cameraThat(gateway, agent.camera, (notice) => notice.online && notice.state === 'live')
  const recording = await recordingThat(gateway, event.eventId, ({ toMs }) => toMs! >= grown.toMs!)
  // A second of pictures is the most that a killed gateway may cost.
  expect(recording.toMs!).toBeGreaterThan(Math.min(killedAt - 1_500, event.begin + 60_000))
  const decoded = await decodedRecording(gateway, event.eventId, join(gateway.directory, 'cut.mp4'))
  const last = decoded.video.at(-1)!
  expect(last.seconds).toBeGreaterThan((grown.toMs! - grown.fromMs!) / 1000 - 1)
})

test('a device that was pulled: the page says offline and how old the last picture is, and shows none as live', async ({
  onTestFinished,
}) => {
  const camera = await startCamera({ small: true })
  onTestFinished(() => camera.close())
  const gateway = await GatewayHouse.open(onTestFinished)
  const agent = await AgentHouse.open(
    gateway,
    { source: { url: camera.url, transport: 'tcp' }, motion: { enabled: false } },
    onTestFinished,
    { settings: { link: { keepaliveSeconds: 5 } } },
  )
  await cameraThat(gateway, agent.camera, (notice) => notice.online && notice.state === 'live')
  const page = await openPhone(await openChromium(onTestFinished), gateway)
  await showCamera(page, agent.camera)
  await pictureIs(page, 'live')
  await agent.process.kill()
  await pictureIs(page, 'offline', 60_000)
  await page.getByText(/last picture/i).waitFor()
  expect(await page.getByText('Live', { exact: true }).count()).toBe(0)
  const notice = (await gateway.cameras()).find(({ id }) => id === agent.camera)!
  expect(notice.online).toBe(false)
  expect(notice.lastPictureAt).toBeGreaterThan(Date.now() - 120_000)

  await agent.start()
  await pictureIs(page, 'live', 60_000)
})
