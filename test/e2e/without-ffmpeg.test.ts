import { join } from 'node:path'
import { expect, test } from 'vitest'
import { startCamera } from '../sim/start-camera.ts'
import { openChromium } from '../support/chromium.ts'
import { decodeAudio } from '../support/decode.ts'
import { AgentHouse, cameraThat, eventThat, GatewayHouse } from '../support/house.ts'
import { framesAfter, hearTone, watchFrames } from '../support/page-probe.ts'
import { decodedRecording, recordingThat } from '../support/recording.ts'
import { dominantTone } from '../support/tone.ts'
import { openPhone, showCamera } from '../support/viewer-page.ts'

/** No program is found but those that are named by their path. */
const env = { PATH: '/nowhere', FFMPEG_PATH: '/nowhere/ffmpeg' }

test('without ffmpeg there are picture, sound and recordings; the camera says that motion is off', async ({
  onTestFinished,
}) => {
  const camera = await startCamera({ small: true })
  onTestFinished(() => camera.close())
  const gateway = await GatewayHouse.open(onTestFinished, {}, env)
  const agent = await AgentHouse.open(
    gateway,
    { source: { url: camera.url, transport: 'tcp' }, motion: { enabled: true } },
    onTestFinished,
    { settings: { ring: { holdSeconds: 5 } }, env },
  )
  await cameraThat(gateway, agent.camera, ({ online, state, motion }) => {
    return online && state === 'live' && motion === 'unavailable'
  })
  const page = await openPhone(await openChromium(onTestFinished), gateway)
  await showCamera(page, agent.camera)
  await watchFrames(page)
  const [first, ...later] = await framesAfter(page, 0, 20)
  expect(new Set(later.map(({ barcode }) => barcode)).size).toBeGreaterThan(10)
  expect(camera.framesSentAt(first!.barcode!)).toBeDefined()
  await hearTone(page, 440)

  await agent.ring()
  const event = await eventThat(gateway, ({ kind }) => kind === 'ring')
  await recordingThat(gateway, event.eventId, ({ toMs }) => toMs! > event.begin + 3_000)
  const file = join(gateway.directory, 'ring.mp4')
  const decoded = await decodedRecording(gateway, event.eventId, file)
  expect(decoded.video.length).toBeGreaterThan(20)
  const sound = await decodeAudio(file, 8_000)
  expect(dominantTone(sound.subarray(0, 8_000), 8_000)?.frequency).toBeCloseTo(440, -1)
})
