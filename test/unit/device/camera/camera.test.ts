import { type ErrorCode, PorchlightError } from '@porchlight/proto/errors.ts'
import { describe, expect, it } from 'vitest'
import { Camera, minWaitMs, reconnectWaitMs } from '../../../../device/camera/camera.ts'
import type { CameraListener, CameraSource } from '../../../../device/camera/camera-source.ts'
import type { FrameNumbering } from '../../../../device/camera/frame-numbering.ts'
import { CameraCollector } from '../../../support/camera-collector.ts'
import { quietLog } from '../../../support/quiet-log.ts'

/** A source that does what the test says. */
class FakeSource implements CameraSource {
  readonly talk = undefined
  readonly #ended = Promise.withResolvers<PorchlightError | undefined>()
  readonly ended = this.#ended.promise
  readonly listener: CameraListener
  readonly numbering: FrameNumbering
  readonly #refusal: ErrorCode | undefined
  closed = 0

  constructor(listener: CameraListener, numbering: FrameNumbering, refusal?: ErrorCode) {
    this.listener = listener
    this.numbering = numbering
    this.#refusal = refusal
  }

  open(): Promise<void> {
    return this.#refusal === undefined ? Promise.resolve() : Promise.reject(new PorchlightError(this.#refusal))
  }

  picture(): void {
    const frame = this.numbering.nextVideo()
    this.listener.accessUnit({ codec: 'h264', frame, captureMs: 0, keyframe: true, reference: true, data: [] })
  }

  end(code: ErrorCode): void {
    this.#ended.resolve(new PorchlightError(code))
  }

  requestKeyframe(): boolean {
    return true
  }

  close(): Promise<void> {
    this.closed += 1
    this.#ended.resolve(undefined)
    return Promise.resolve()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

describe('Camera', () => {
  function start(refusals: (ErrorCode | undefined)[]) {
    const sources: FakeSource[] = []
    const waits: number[] = []
    const camera = new Camera({
      source: (listener, numbering) => {
        const source = new FakeSource(listener, numbering, refusals[sources.length])
        sources.push(source)
        return source
      },
      monotonic: () => 0,
      random: () => 0.5,
      log: quietLog,
      wait: (ms, signal) => {
        waits.push(ms)
        return sources.length < refusals.length
          ? Promise.resolve()
          : new Promise((resolve) => signal.addEventListener('abort', () => resolve()))
      },
    })
    const reached = (state: string) =>
      new Promise<void>((resolve) => {
        const check = () => camera.state === state && resolve()
        camera.onState(check)
        check()
      })
    return { camera, sources, waits, reached }
  }

  it('goes on with its numbers after a reconnect, and tells a late listener the format', async () => {
    const { camera, sources, reached } = start([undefined, 'camera_unreachable', undefined])
    const collector = new CameraCollector()
    camera.addListener(collector)
    await reached('live')
    sources[0]!.listener.format({ codec: 'h264', width: 2, height: 2 }, undefined)
    sources[0]!.listener.note('camera_bframes')
    sources[0]!.picture()
    sources[0]!.picture()
    sources[0]!.end('camera_timeout')
    await reached('failed')
    expect(camera.error?.code).toBe('camera_timeout')
    await reached('live')
    expect(camera.error).toBeUndefined()
    sources[2]!.picture()
    expect(collector.units.map((unit) => unit.frame)).toEqual([0, 1, 2])
    const late = new CameraCollector()
    const remove = camera.addListener(late)
    expect(late.formats[0]?.video?.codec).toBe('h264')
    expect(late.notes).toEqual(['camera_bframes'])
    remove()
    sources[2]!.picture()
    expect(late.units).toEqual([])
    await camera.close()
    await camera.close()
    expect(sources.map((source) => source.closed > 0)).toEqual([true, true, true])
  })

  it('is not ended by a listener that throws', async () => {
    const { camera, sources, reached } = start([undefined])
    const collector = new CameraCollector()
    camera.addListener({
      ...{ format: () => undefined, audioFrame: () => undefined, note: () => undefined },
      accessUnit: () => {
        throw new Error('listener')
      },
    })
    camera.addListener(collector)
    await reached('live')
    sources[0]!.picture()
    expect(collector.units).toHaveLength(1)
    await camera.close()
  })

  it('is let go while it is off, passes nothing on, and goes on with its numbers', async () => {
    const { camera, sources, reached } = start([undefined, undefined])
    const collector = new CameraCollector()
    camera.addListener(collector)
    await reached('live')
    sources[0]!.picture()
    camera.switchOn(false)
    sources[0]!.picture() // was on its way
    await reached('failed')
    expect(camera.error?.code).toBe('camera_off')
    expect(sources[0]!.closed).toBeGreaterThan(0)
    expect(camera.talk).toBeUndefined()
    camera.switchOn(true)
    await reached('live')
    expect(sources).toHaveLength(2)
    sources[1]!.picture()
    expect(collector.units.map(({ frame }) => frame)).toEqual([0, 2])
    camera.switchOn(false)
    await camera.close()
  })

  it('waits longer each time, and long after a wrong password', async () => {
    const { camera, waits, reached } = start([
      'camera_unreachable',
      'camera_unreachable',
      'camera_auth',
      'camera_codec',
      undefined,
    ])
    await reached('live')
    expect(waits).toEqual([1_000, 1_500, 66_000, 15_500])
    await camera.close()
  })

  it('never waits less than a single-client camera needs, nor more than the bound', () => {
    expect(reconnectWaitMs(0, 'camera_unreachable', 0)).toBe(minWaitMs)
    expect(reconnectWaitMs(50, 'camera_unreachable', 1)).toBe(30_500)
  })
})
