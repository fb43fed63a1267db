import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import type { Browser, Page } from 'playwright-core'
import { Registry } from 'prom-client'
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import type { Subject } from '../../gateway/auth/subject.ts'
import { SessionMetrics } from '../../gateway/metrics/session-metrics.ts'
import { Sfu } from '../../gateway/sfu/sfu.ts'
import { SessionBook } from '../../gateway/signaling/session-book.ts'
import { ViewerSessions } from '../../gateway/signaling/viewers.ts'
import { NodeDataChannelEngine } from '../../gateway/webrtc/node-datachannel.ts'
import { readMp4 } from '../sim/mp4-source.ts'
import { launchChromium } from '../support/chromium.ts'
import { credential } from '../support/credential.ts'
import { InjectedCamera } from '../support/injected-camera.ts'
import { framesAfter, seenFrames, watchFrames } from '../support/page-probe.ts'
import { freeUdpPort } from '../support/ports.ts'
import { quietLog } from '../support/quiet-log.ts'

const camera = 'house.door'
const subject: Subject = { kind: 'user', userId: 'u1', name: 'Ann', role: 'owner', credential }
/** The small stream: a software decoder on a busy machine keeps up with it. */
const scene = fileURLToPath(new URL('../sim/scene/sub.mp4', import.meta.url))
const now = () => performance.now()

// Browsers start slowly on a busy machine.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

let browser: Browser
let sfu: Sfu
let engine: NodeDataChannelEngine
let viewers: ViewerSessions
let book: SessionBook
let injected: InjectedCamera
let page: { url: string; close(): void }
const heard: Uint8Array[] = []

beforeAll(async () => {
  browser = await launchChromium()
  sfu = new Sfu({ now, log: quietLog })
  engine = new NodeDataChannelEngine({
    bindAddress: '127.0.0.1',
    port: await freeUdpPort(),
    announce: [],
    log: quietLog,
  })
  book = new SessionBook({ metrics: new SessionMetrics(new Registry()) })
  viewers = new ViewerSessions({ engine, sfu, want: () => undefined, now, wallNow: Date.now, log: quietLog, book })
  const talk = { codec: 'pcmu', heard: (bytes: Uint8Array) => heard.push(bytes) } as const
  injected = new InjectedCamera(camera, readMp4(await readFile(scene)), talk)
  sfu.publish(injected.producer)
  injected.start()
  const server = createServer((_, reply) => {
    reply.setHeader('content-type', 'text/html').end('<!doctype html><video autoplay playsinline muted></video>')
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  page = { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, close: () => server.close() }
})

afterAll(async () => {
  await browser?.close()
  injected?.close()
  await viewers?.close()
  await book?.[Symbol.asyncDispose]()
  await sfu?.close()
  await engine?.close()
  page?.close()
})

/** A page with a peer that has the three lines of our viewer, joined. */
async function watch(): Promise<{ view: Page; id: string }> {
  const view = await browser.newPage()
  onTestFinished(() => view.close())
  await view.goto(page.url)
  await watchFrames(view)
  const offer = (await view.evaluate(`(async () => {
    const peer = (window.peer = new RTCPeerConnection({ bundlePolicy: 'max-bundle' }))
    const stream = (document.querySelector('video').srcObject = new MediaStream())
    peer.ontrack = ({ track }) => stream.addTrack(track)
    peer.addTransceiver('video', { direction: 'recvonly' })
    peer.addTransceiver('audio', { direction: 'recvonly' })
    window.talk = peer.addTransceiver('audio', { direction: 'sendonly' })
    await peer.setLocalDescription()
    return peer.localDescription.sdp
  })()`)) as string
  const { id, answer } = await viewers.join(camera, offer, subject)
  await view.evaluate(`peer.setRemoteDescription({ type: 'answer', sdp: ${JSON.stringify(answer)} })`)
  return { view, id }
}

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
  expect(sfu.viewers(camera)).toBeGreaterThanOrEqual(2)
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
  viewers.take(camera, id, subject)
  await expect.poll(() => heard.length, { timeout: 30_000 }).toBeGreaterThan(5)
  expect(heard[0]![1]! & 0x7f).toBe(0)
})

test('the figures of a session are those of its packets, and go with it', async () => {
  const { view, id } = await watch()
  await framesAfter(view, 0, 20)
  const figures = () => book.reports().find((report) => report.id === id)
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
  await viewers.leave(id, subject)
  expect(figures()).toBeUndefined()
})

test('a viewer who leaves is forgotten; the session cannot be ended by another', async () => {
  const { id } = await watch()
  const count = viewers.sessions
  await expect(viewers.leave(id, { ...subject, userId: 'u2' })).rejects.toThrow('You may not do that.')
  await viewers.leave(id, subject)
  await viewers.leave(id, subject)
  expect(viewers.sessions).toBe(count - 1)
})
