import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { startCamera } from '../sim/start-camera.ts'
import { openChromium } from '../support/chromium.ts'
import { startGstRtspServer } from '../support/gst-rtsp-server.ts'
import { AgentHouse, cameraThat, eventThat, GatewayHouse } from '../support/house.ts'
import { startMosquitto } from '../support/mosquitto.ts'
import { framesAfter, watchFrames } from '../support/page-probe.ts'
import { freePort } from '../support/ports.ts'
import { decodedRecording, recordingThat } from '../support/recording.ts'
import { tempDir } from '../support/temp-dir.ts'
import { openPhone, pictureIs, showCamera } from '../support/viewer-page.ts'

describe("GStreamer's RTSP server as the camera", () => {
  test.each(['tcp', 'udp'] as const)('live picture and recording over %s', async (transport) => {
    const cleanUps: (() => Promise<void>)[] = []
    const atEnd = (cleanUp: () => Promise<void>) => cleanUps.unshift(cleanUp)
    try {
      const server = await startGstRtspServer([], atEnd)
      const gateway = await GatewayHouse.open(atEnd)
      const agent = await AgentHouse.open(
        gateway,
        { source: { url: server.url, transport }, motion: { enabled: false } },
        atEnd,
        { settings: { ring: { holdSeconds: 5 } } },
      )
      await cameraThat(gateway, agent.camera, (notice) => notice.online && notice.state === 'live')
      const page = await openPhone(await openChromium(atEnd), gateway)
      await showCamera(page, agent.camera)
      await pictureIs(page, 'live')
      const shown = () => page.evaluate('document.querySelector("video").getVideoPlaybackQuality().totalVideoFrames')
      await expect.poll(shown, { timeout: 30_000 }).toBeGreaterThan(50)
      await agent.ring()
      const event = await eventThat(gateway, ({ kind }) => kind === 'ring')
      await recordingThat(gateway, event.eventId, ({ toMs }) => toMs! > event.begin + 3_000)
      const decoded = await decodedRecording(gateway, event.eventId, join(gateway.directory, 'gst.mp4'))
      expect(decoded.video.length).toBeGreaterThan(60)
    } finally {
      for (const cleanUp of cleanUps) await cleanUp()
    }
  })
})

test('Mosquitto in place of the embedded broker, with an ACL that keeps devices apart', async ({ onTestFinished }) => {
  const port = await freePort()
  const mosquitto = await startMosquitto(
    {
      folder: await tempDir(),
      port,
      users: { gateway: 'gateway-word', porch: 'porch-word' },
      acl: [
        'user gateway',
        'topic readwrite pl/v1/d/#',
        'pattern write pl/v1/d/%c/presence',
        'pattern write pl/v1/d/%c/cameras',
        'pattern write pl/v1/d/%c/event',
        'pattern write pl/v1/d/%c/signal/up',
        'pattern read pl/v1/d/%c/signal/down',
        'pattern read pl/v1/d/%c/command',
      ],
    },
    onTestFinished,
  )
  const camera = await startCamera({ small: true })
  onTestFinished(() => camera.close())
  const gateway = await GatewayHouse.open(onTestFinished, {
    broker: { mode: 'url', url: mosquitto.url, user: 'gateway', password: 'gateway-word' },
  })
  const agent = await AgentHouse.open(
    gateway,
    { source: { url: camera.url, transport: 'tcp' }, motion: { enabled: false } },
    onTestFinished,
    { enrolFlags: ['--broker-user', 'porch', '--broker-password', 'porch-word'] },
  )
  await cameraThat(gateway, agent.camera, (notice) => notice.online && notice.state === 'live')
  const page = await openPhone(await openChromium(onTestFinished), gateway)
  await showCamera(page, agent.camera)
  await watchFrames(page)
  await framesAfter(page, 0, 20)
  await agent.ring()
  const event = await eventThat(gateway, ({ kind }) => kind === 'ring')
  await recordingThat(gateway, event.eventId, ({ toMs }) => toMs! > event.begin)

  await mosquitto.kill()
  await cameraThat(gateway, agent.camera, (notice) => !notice.online)
  await startMosquitto(
    { folder: await tempDir(), port, users: { gateway: 'gateway-word', porch: 'porch-word' } },
    onTestFinished,
  )
  await cameraThat(gateway, agent.camera, (notice) => notice.online && notice.state === 'live')
})
