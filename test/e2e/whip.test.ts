import { join } from 'node:path'
import { expect, test } from 'vitest'
import { toneHz } from '../sim/libwebrtc/peer.ts'
import { type AtEnd, type Child, startNode } from '../support/child.ts'
import { openChromium } from '../support/chromium.ts'
import { cameraThat, GatewayHouse } from '../support/house.ts'
import { framesAfter, hearTone, watchFrames } from '../support/page-probe.ts'
import { decodedRecording, recordingThat } from '../support/recording.ts'
import { openPhone, pictureIs, showCamera } from '../support/viewer-page.ts'

const camera = 'whip.studio'
const publisherFile = new URL('../sim/libwebrtc/publisher.ts', import.meta.url)

/** libwebrtc as a publisher, with a token of the command line. */
async function openPublisher(
  gateway: GatewayHouse,
  token: string,
  atEnd: AtEnd,
  more: readonly string[] = [],
): Promise<Child> {
  const url = `${gateway.url}/api/cameras/${camera}/whip`
  const publisher = startNode(publisherFile, { args: [`--url=${url}`, `--token=${token}`, ...more] }, atEnd)
  await publisher.json((line) => line.ready === true)
  return publisher
}

async function newToken(gateway: GatewayHouse): Promise<string> {
  return (await gateway.cli('token', '--publish', 'studio', '--name', 'The studio')).split('\n')[0]!
}

async function ring(gateway: GatewayHouse, token: string): Promise<void> {
  const told = await fetch(`${gateway.url}/api/cameras/${camera}/events/studio-ring-1`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ kind: 'ring', phase: 'begin' }),
  })
  expect(told.status).toBe(204)
}

// Both mostly wait for somebody to be missed.
test.concurrent('libwebrtc publishes by WHIP, is seen and heard, taken over, and comes back after a restart of the gateway', async ({
  onTestFinished,
}) => {
  const gateway = await GatewayHouse.open(onTestFinished)
  const token = await newToken(gateway)
  const offline = await cameraThat(gateway, camera, ({ online }) => !online)
  expect(offline).toMatchObject({ title: 'The studio', kind: 'camera' })
  const first = await openPublisher(gateway, token, onTestFinished)
  first.say('publish')
  expect(await first.json((line) => 'published' in line)).toMatchObject({ published: 201, codecs: ['VP9', 'opus'] })
  first.say('trickle')
  expect(await first.json((line) => 'patched' in line)).toEqual({ patched: 204 })
  const online = await cameraThat(gateway, camera, (notice) => notice.online)
  expect(online).toMatchObject({ state: 'live', video: { codec: 'vp9' }, audio: 'opus' })

  const browser = await openChromium(onTestFinished)
  const page = await openPhone(browser, gateway)
  await showCamera(page, camera)
  await watchFrames(page)
  const frames = await framesAfter(page, 0, 30)
  expect(frames.at(-1)!.barcode!).toBeGreaterThan(frames[0]!.barcode!)
  await hearTone(page, toneHz)

  // It says itself when something happens, and that is recorded.
  await ring(gateway, token)
  await recordingThat(gateway, 'studio-ring-1', ({ fromMs, toMs }) => toMs! - fromMs! > 3_000)
  const decoded = await decodedRecording(gateway, 'studio-ring-1', join(gateway.directory, 'studio.mp4'))
  expect(decoded.video.length).toBeGreaterThan(20)
  expect(decoded.audio.length).toBeGreaterThan(30)

  // A restart of ICE is refused, and changes nothing.
  first.say('restart')
  expect(await first.json((line) => 'patched' in line && line.patched !== 204)).toEqual({ patched: 422 })
  await framesAfter(page, Date.now(), 10)

  // Somebody else with the token takes over; who watches goes on watching.
  const second = await openPublisher(gateway, token, onTestFinished)
  second.say('publish')
  await second.json((line) => line.state === 'connected')
  await first.json((line) => line.state === 'disconnected' || line.state === 'failed' || line.state === 'closed')
  const newcomers = await framesAfter(page, Date.now(), 20)
  // Each counts its pictures from its own beginning.
  expect(newcomers.at(-1)!.barcode!).toBeLessThan(frames[0]!.barcode! + 2_000)
  expect((await gateway.cameras()).filter(({ id }) => id === camera)).toMatchObject([{ online: true }])

  await gateway.process.kill()
  await gateway.start()
  await cameraThat(gateway, camera, (notice) => !notice.online && notice.title === 'The studio')
  const backAt = Date.now()
  second.say('publish')
  await cameraThat(gateway, camera, (notice) => notice.online)
  await pictureIs(page, 'live', 90_000)
  await framesAfter(page, backAt, 10)

  second.say('leave')
  expect(await second.json((line) => 'left' in line)).toEqual({ left: 204 })
  await cameraThat(gateway, camera, (notice) => !notice.online)
})

test.concurrent('a token that is taken back, or replaced, takes its publisher off the air', async ({
  onTestFinished,
}) => {
  const gateway = await GatewayHouse.open(onTestFinished)
  const token = await newToken(gateway)
  const publisher = await openPublisher(gateway, token, onTestFinished)
  publisher.say('publish')
  await cameraThat(gateway, camera, (notice) => notice.online)

  const next = await openPublisher(gateway, await newToken(gateway), onTestFinished)
  await cameraThat(gateway, camera, (notice) => !notice.online)
  publisher.say('publish')
  const refused = await publisher.json<{ problem: { code: string } }>((line) => line.published === 401)
  expect(refused.problem.code).toBe('sign_in_required')

  next.say('publish')
  await cameraThat(gateway, camera, (notice) => notice.online)
  await gateway.cli('token', '--revoke', 'studio')
  await next.json((line) => line.state === 'disconnected' || line.state === 'failed' || line.state === 'closed')
  await expect.poll(() => gateway.cameras()).toEqual([])
})

test('what libwebrtc publishes in VP8 is recorded, with its sound', async ({ onTestFinished }) => {
  const gateway = await GatewayHouse.open(onTestFinished)
  const token = await newToken(gateway)
  const publisher = await openPublisher(gateway, token, onTestFinished, ['--video=VP8'])
  publisher.say('publish')
  await cameraThat(gateway, camera, ({ state, video }) => state === 'live' && video?.codec === 'vp8')
  await ring(gateway, token)
  await recordingThat(gateway, 'studio-ring-1', ({ fromMs, toMs }) => toMs! - fromMs! > 3_000)
  const decoded = await decodedRecording(gateway, 'studio-ring-1', join(gateway.directory, 'studio.webm'))
  expect(decoded.errors).toEqual([])
  expect(decoded.video.length).toBeGreaterThan(20)
  expect(decoded.audio.length).toBeGreaterThan(30)
})
