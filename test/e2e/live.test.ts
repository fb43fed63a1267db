import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { SessionReport } from '../../gateway/metrics/session-report.ts'
import { type SimulatedCamera, startCamera } from '../sim/start-camera.ts'
import { openChromium } from '../support/chromium.ts'
import { AgentHouse, cameraThat, GatewayHouse } from '../support/house.ts'
import { framesAfter, hearTone, receivedVideo, watchFrames } from '../support/page-probe.ts'
import { dominantTone, sine } from '../support/tone.ts'
import { until } from '../support/until.ts'
import { holdToTalk, openPhone, pictureIs, showCamera } from '../support/viewer-page.ts'
import { fromWav, toWav } from '../support/wav.ts'

const microphoneHz = 1000
/** Pictures of the small stream that a browser may hold back, in s. */
const onTheWayS = 1

/** Short beeps: a steady tone is noise to a browser's noise suppression. */
function beeps(): Int16Array {
  const rate = 48_000
  const samples = new Int16Array(rate * 2)
  for (let at = 0; at + rate * 0.5 <= samples.length; at += rate * 0.5) {
    samples.set(sine(microphoneHz, rate, rate * 0.35, 16_000), at)
  }
  return samples
}

/** The loudest half second of what was heard. */
function loudest(samples: Int16Array, rate: number): Int16Array {
  let best = samples.subarray(0, 0)
  let most = -1
  for (let at = 0; at + rate / 4 <= samples.length; at += rate / 8) {
    const part = samples.subarray(at, at + rate / 4)
    const loud = part.reduce((sum, sample) => sum + Math.abs(sample), 0)
    if (loud > most) {
      most = loud
      best = part
    }
  }
  return best
}

describe('a phone at the door', () => {
  const cleanUps: (() => Promise<void>)[] = []
  const atEnd = (cleanUp: () => Promise<void>) => cleanUps.unshift(cleanUp)
  let camera: SimulatedCamera
  let gateway: GatewayHouse
  let agent: AgentHouse
  let browser: Browser
  let first: Page

  beforeAll(async () => {
    camera = await startCamera({ small: true, user: 'viewer', password: 'right horse' })
    atEnd(() => camera.close())
    gateway = await GatewayHouse.open(atEnd)
    agent = await AgentHouse.open(
      gateway,
      { source: { url: camera.url, sub: camera.subUrl, user: 'viewer', password: 'right horse', transport: 'tcp' } },
      atEnd,
    )
    await cameraThat(gateway, agent.camera, (notice) => notice.online && notice.state === 'live')
    const microphone = join(gateway.directory, 'microphone.wav')
    await writeFile(microphone, toWav(beeps(), 48_000))
    browser = await openChromium(atEnd, { microphone })
    first = await openPhone(browser, gateway)
    await showCamera(first, agent.camera)
    await watchFrames(first)
    await pictureIs(first, 'live')
  })
  afterAll(async () => {
    for (const cleanUp of cleanUps) await cleanUp()
  })

  test("the bar code on screen advances and is the camera's", async () => {
    const frames = await framesAfter(first, 0, 60)
    for (const { barcode, atMs } of frames.slice(-25)) {
      const sentAt = camera.framesSentAt(barcode!)
      expect(sentAt).toBeDefined()
      // What the page shows the camera sent before, and not long before.
      expect(atMs - sentAt!).toBeGreaterThan(-50)
      expect(atMs - sentAt!).toBeLessThan(5_000)
    }
    const steps = frames.slice(-25).map(({ barcode }, index, all) => barcode! - (all[index - 1]?.barcode ?? barcode!))
    expect(steps.filter((step) => step > 0).length).toBeGreaterThan(20)
  })

  test('the phone shows how its connection fares, and the gateway lists it', async () => {
    const button = first.getByRole('button', { name: 'Connection' })
    expect((await button.boundingBox())?.height).toBeGreaterThanOrEqual(44)
    const panel = first.getByRole('region', { name: 'Connection' })
    expect(await panel.count()).toBe(0)
    await button.click()
    const size = await first.evaluate(`(({ videoWidth, videoHeight }) => videoWidth + ' × ' + videoHeight)
      (document.querySelector('video'))`)
    await panel.getByText(size as string).waitFor()
    await panel.getByText('H264').waitFor()
    await panel.getByText(/^\d.*bit\/s$/).waitFor()
    await button.click()
    await panel.waitFor({ state: 'detached' })
    const sessions = await gateway.json<SessionReport[]>('/api/sessions')
    expect(sessions.map(({ camera, role, state }) => [camera, role, state]).toSorted()).toEqual([
      [agent.camera, 'producer', 'live'],
      [agent.camera, 'viewer', 'live'],
    ])
    for (const { bitrate, stages } of sessions) {
      expect(bitrate).toBeGreaterThan(10_000)
      for (const stage of ['signaling', 'ice', 'dtls', 'firstPacket', 'total'] as const) {
        expect(stages[stage]).not.toBeNull()
      }
    }
  })

  test("the camera's tone is heard", async () => {
    await hearTone(first, 440)
  })

  test('the phone is heard at the door, and the camera is never dialled again for it', async () => {
    const dialled = camera.clients.playing
    const letGo = await holdToTalk(first)
    await first.getByText('Talking', { exact: true }).waitFor()
    const tone = await until('the tone in the backchannel', () => {
      const found = dominantTone(loudest(camera.heard(), 8000), 8000)
      return found && Math.abs(found.frequency - microphoneHz) < 15 && found
    })
    expect(tone.loudness).toBeGreaterThan(300)
    await letGo()
    await first.getByText('Hold to talk').waitFor()
    expect(camera.clients.playing).toBe(dialled)
  })

  test('a second phone joins without a hitch for the first, and is told who talks', async () => {
    const before = (await framesAfter(first, 0, 1)).at(-1)!.atMs
    const joins: string[] = []
    first.on('request', (request) => {
      if (request.url().endsWith('/whep')) joins.push(request.url())
    })
    const received = await receivedVideo(first)
    const second = await openPhone(browser, gateway)
    await showCamera(second, agent.camera)
    await watchFrames(second)
    await framesAfter(second, 0, 10)
    const frames = await framesAfter(first, before, 50)
    const { pictures, packetsLost } = await receivedVideo(first)
    expect(joins).toEqual([])
    // Nothing is shown backwards, and the first phone never had to connect again. (The same picture twice only says that
    // a busy page was late to read the one before.)
    const { barcodes } = camera
    const steps = frames
      .slice(1)
      .map(({ barcode }, index) => (barcode! - frames[index]!.barcode! + barcodes) % barcodes)
    expect(steps.filter((step) => step > barcodes / 2)).toEqual([])
    // Nothing was left out on the way to it. (Pictures that were on their way as the counting began are shown later.)
    expect(packetsLost - received.packetsLost).toBe(0)
    const shownS = (steps.reduce((sum, step) => sum + step, 0) * camera.seconds) / barcodes
    expect(pictures - received.pictures).toBeGreaterThanOrEqual((shownS - onTheWayS) * camera.fps)
    await pictureIs(first, 'live')
    const letGo = await holdToTalk(first)
    await second.getByText(/is talking/).waitFor()
    expect(await second.locator('.talk-button').getAttribute('aria-disabled')).toBe('true')
    await letGo()
    await second.getByText('Hold to talk').waitFor()
    // Signing out ends what this phone watches, and only that.
    await second.evaluate(`fetch('/api/session', { method: 'DELETE' })`)
    await second.getByLabel('Sign-in link').waitFor()
    const viewers = async () =>
      (await gateway.json<SessionReport[]>('/api/sessions')).filter(({ role }) => role === 'viewer').length
    expect(await viewers()).toBe(1)
    await pictureIs(first, 'live')
    expect(joins).toEqual([])
    await second.context().close()
  })
})

describe('a loudspeaker of the device', () => {
  test("plays the phone's tone", async ({ onTestFinished }) => {
    const camera = await startCamera({ small: true, backchannel: 'off' })
    onTestFinished(() => camera.close())
    const gateway = await GatewayHouse.open(onTestFinished)
    const path = join(gateway.directory, 'speaker.wav')
    const agent = await AgentHouse.open(
      gateway,
      { source: { url: camera.url, transport: 'tcp' }, speaker: { type: 'wav', path } },
      onTestFinished,
    )
    await cameraThat(gateway, agent.camera, (notice) => notice.online && notice.talk !== undefined)
    const microphone = join(gateway.directory, 'microphone.wav')
    await writeFile(microphone, toWav(beeps(), 48_000))
    const browser = await openChromium(onTestFinished, { microphone })
    const page = await openPhone(browser, gateway)
    await showCamera(page, agent.camera)
    await pictureIs(page, 'live')
    const letGo = await holdToTalk(page)
    await page.getByText('Talking', { exact: true }).waitFor()
    await until('the tone in the speaker file', async () => {
      const { samples, sampleRate } = fromWav(await readFile(path))
      if (samples.length < sampleRate) return false
      const tone = dominantTone(loudest(samples, sampleRate), sampleRate)
      return tone && Math.abs(tone.frequency - microphoneHz) < 15
    })
    await letGo()
  })
})
