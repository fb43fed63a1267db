import { join } from 'node:path'
import { expect, test } from 'vitest'
import { toneHz } from '../sim/libwebrtc/peer.ts'
import { openChromium } from '../support/chromium.ts'
import { probe } from '../support/decode.ts'
import { foreignCamera, startForeignDevice } from '../support/foreign-device.ts'
import { eventThat, GatewayHouse } from '../support/house.ts'
import { framesAfter, hearTone, watchFrames } from '../support/page-probe.ts'
import { decodedRecording, recordingThat } from '../support/recording.ts'
import { openPhone, showCamera } from '../support/viewer-page.ts'

test("a libwebrtc device's VP9 and Opus are seen, heard and recorded", async ({ onTestFinished }) => {
  const gateway = await GatewayHouse.open(onTestFinished)
  const device = await startForeignDevice(gateway, onTestFinished)

  const browser = await openChromium(onTestFinished)
  const page = await openPhone(browser, gateway)
  await showCamera(page, foreignCamera)
  await watchFrames(page)
  const frames = await framesAfter(page, 0, 30)
  expect(frames.at(-1)!.barcode!).toBeGreaterThan(frames[0]!.barcode!)
  await hearTone(page, toneHz)

  device.say('ring foreign-ring-1')
  const event = await eventThat(gateway, ({ kind, camera }) => kind === 'ring' && camera === foreignCamera)
  const file = join(gateway.directory, 'foreign.mp4')
  await recordingThat(gateway, event.eventId, ({ fromMs, toMs }) => toMs! - fromMs! > 3_000)
  const decoded = await decodedRecording(gateway, event.eventId, file)
  expect(decoded.video.length).toBeGreaterThan(20)
  expect(decoded.audio.length).toBeGreaterThan(30)
  const { streams } = await probe(file)
  expect(streams.map((stream) => stream.codec_name).sort()).toEqual(['opus', 'vp9'])
  device.say('quit')
})
