import * as h264 from '@porchlight/proto/media/h264.ts'
import { describe, expect, it, onTestFinished } from 'vitest'
import { FrameNumbering } from '../../../device/camera/frame-numbering.ts'
import { createSource } from '../../../device/camera/open-source.ts'
import { cameraSourceConfig } from '../../../device/config.ts'
import { CameraCollector } from '../../support/camera-collector.ts'
import { gstRtspServerMissing, startGstRtspServer } from '../../support/gst-rtsp-server.ts'
import { quietLog } from '../../support/quiet-log.ts'

const missing = gstRtspServerMissing()
if (missing !== undefined) process.stdout.write(`skipped: ${missing}\n`)

function take(config: Record<string, unknown>) {
  const collector = new CameraCollector()
  const make = createSource(cameraSourceConfig.parse(config), { log: quietLog })
  const source = make(collector, new FrameNumbering(100, 7))
  onTestFinished(() => source.close())
  return { collector, source }
}

function expectSmooth(collector: CameraCollector): void {
  const { units, frames } = collector
  expect(units[0]).toMatchObject({ codec: 'h264', keyframe: true, frame: 100 })
  expect(units.map((unit) => unit.frame)).toEqual(units.map((_, index) => 100 + index))
  const steps = units.slice(1).map((unit, index) => unit.captureMs - units[index]!.captureMs)
  const sorted = steps.toSorted((a, b) => a - b)
  expect(sorted[0]).toBeGreaterThan(0)
  expect(sorted[steps.length >> 1]).toBeCloseTo(50, -1) // 20 fps
  expect(frames[0]).toMatchObject({ codec: 'pcmu', clockRate: 8000, channels: 1, samples: 160, frame: 7 })
  for (const unit of units.filter((one) => one.keyframe)) {
    expect(unit.data.slice(0, 2).map(h264.nalType)).toEqual([7, 8])
    expect(unit.data.some((nal) => h264.nalType(nal) === 5)).toBe(true)
  }
}

describe.skipIf(missing !== undefined)("GStreamer's RTSP server", () => {
  it.each(['tcp', 'udp'] as const)('gives H.264 and PCMU over %s', async (transport) => {
    const server = await startGstRtspServer([], onTestFinished)
    const { collector, source } = take({ url: server.url, transport })
    await source.open(AbortSignal.timeout(20_000))
    await collector.when(() => collector.units.length >= 45 && collector.frames.length >= 50)
    expectSmooth(collector)
    expect(collector.formats.at(-1)).toEqual({
      video: { codec: 'h264', width: 320, height: 240 },
      audio: { codec: 'pcmu', clockRate: 8000, channels: 1 },
    })
    expect(Math.abs(collector.units.at(-1)!.captureMs - Date.now())).toBeLessThan(2_000)
    expect(collector.notes).toEqual([])
  })

  it('changes to UDP where TCP is refused', async () => {
    const server = await startGstRtspServer(['--udp-only'], onTestFinished)
    const { collector, source } = take({ url: server.url, transport: 'auto' })
    await source.open(AbortSignal.timeout(20_000))
    await collector.when(() => collector.units.length >= 5)
  })

  it.each(['--digest', '--basic'])('takes the right password and no other (%s)', async (way) => {
    const server = await startGstRtspServer([way, 'door:bell'], onTestFinished)
    const wrong = take({ url: server.url, user: 'door', password: 'ball' })
    await expect(wrong.source.open(AbortSignal.timeout(20_000))).rejects.toMatchObject({ code: 'camera_auth' })
    const none = take({ url: server.url })
    await expect(none.source.open(AbortSignal.timeout(20_000))).rejects.toMatchObject({ code: 'camera_auth' })
    const right = take({ url: server.url, user: 'door', password: 'bell' })
    await right.source.open(AbortSignal.timeout(20_000))
    await right.collector.when(() => right.collector.units.length >= 5)
  })

  it('says so when the server dies', async () => {
    const server = await startGstRtspServer([], onTestFinished)
    const { collector, source } = take({ url: server.url, transport: 'tcp' })
    await source.open(AbortSignal.timeout(20_000))
    await collector.when(() => collector.units.length >= 2)
    await server.stop()
    expect((await source.ended)?.code).toBe('camera_unreachable')
  })

  it('finds B-frames, and marks what viewers can do without', async () => {
    const server = await startGstRtspServer(['--bframes'], onTestFinished)
    const { collector, source } = take({ url: server.url })
    await source.open(AbortSignal.timeout(20_000))
    await collector.when(() => collector.units.length >= 30)
    expect(collector.notes).toEqual(['camera_bframes'])
    expect(collector.units.some((unit) => !unit.reference)).toBe(true)
    const reference = collector.units.filter((unit) => unit.reference).map((unit) => unit.captureMs)
    expect(reference).toEqual(reference.toSorted((a, b) => a - b))
  })

  it('answers what is not there with camera_no_video', async () => {
    const server = await startGstRtspServer([], onTestFinished)
    const { source } = take({ url: server.url.replace('/live', '/none') })
    await expect(source.open(AbortSignal.timeout(20_000))).rejects.toMatchObject({ code: 'camera_no_video' })
  })
})
