import { writeRtcp } from '@porchlight/proto/media/rtcp.ts'
import { isRtcp, parseRtp } from '@porchlight/proto/media/rtp.ts'
import { readFrameNumber, transportCcId } from '@porchlight/proto/media/rtp-extensions.ts'
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { mids } from '../../../../device/webrtc/offer-lines.ts'
import { ProducerMedia } from '../../../../device/webrtc/producer-media.ts'
import { ArrivalFeedback } from '../../../../gateway/sfu/arrival-feedback.ts'
import { Producer } from '../../../../gateway/sfu/producer.ts'
import { quietLog } from '../../../support/quiet-log.ts'

const codec = { payloadType: 96, rtpmap: 'H264/90000' }
const sound = { payloadType: 0, rtpmap: 'PCMU/8000' }
/** Pictures a second, bytes of a picture and of a keyframe, pictures from one to the next: 2.1 Mbit/s and 200 kbit/s. */
const streams = {
  main: { fps: 25, bytes: 9_500, keyBytes: 60_000, gop: 50 },
  sub: { fps: 10, bytes: 2_000, keyBytes: 8_000, gop: 20 },
} as const

interface Arrived {
  atMs: number
  mid: string
  frame: number | undefined
  waitedMs: number
}

/** A device's media over an uplink with a queue of 300 ms, and the gateway's feedback. */
class Home {
  bytesPerMs = 1_000
  loss = 0
  readonly arrived: Arrived[] = []
  readonly dropped: [number, number][] = []
  readonly wanted: string[] = []
  readonly media: ProducerMedia
  /** The camera's small stream comes. */
  subComes = true
  readonly #feedback = new ArrivalFeedback()
  readonly #gateway: Producer | undefined
  readonly #frames = { main: 0, sub: 0, sound: 0 }
  readonly #startMs = performance.now()
  #freeMs = 0
  #count = 0
  #keyWanted = false

  constructor({ sub = true, gateway }: { sub?: boolean; gateway?: Producer } = {}) {
    this.#gateway = gateway
    this.media = new ProducerMedia({
      video: { codec, ssrc: 11 },
      sub: sub ? { codec, ssrc: 22 } : undefined,
      audio: { codec: sound, ssrc: 33, clockRate: 8_000 },
      send: (mid, packet) => this.#send(mid, packet.slice()),
      on: {
        firstFrame: () => undefined,
        keyframeWanted: (layer) => {
          this.wanted.push(layer)
          if (layer === 'main') this.#keyWanted = true
        },
        silent: () => undefined,
        dropped: (from, to) => this.dropped.push([from, to]),
      },
      now: () => 1_763_600_000_000 + performance.now(),
      random: () => 0.25,
    })
    onTestFinished(() => this.media.close())
    const feedback = setInterval(() => {
      const packet = this.#feedback.take(1, 11)
      if (packet) this.media.rtcp(writeRtcp([packet]))
    }, 50)
    onTestFinished(() => clearInterval(feedback))
  }

  get nowMs(): number {
    return performance.now() - this.#startMs
  }

  /** Lets the camera's streams run. */
  run(ms: number): void {
    for (const until = this.nowMs + ms; this.nowMs < until; vi.advanceTimersByTime(5)) {
      while (this.#frames.sound * 20 <= this.nowMs) this.#sound()
      for (const layer of this.subComes ? (['main', 'sub'] as const) : (['main'] as const)) {
        while ((this.#frames[layer] * 1_000) / streams[layer].fps <= this.nowMs) this.#picture(layer)
      }
    }
  }

  of(mid: string, fromMs = 0): Arrived[] {
    return this.arrived.filter((one) => one.mid === mid && one.atMs >= fromMs && one.frame !== undefined)
  }

  #sound(): void {
    const frame = this.#frames.sound++
    const captureMs = 1_763_600_000_000 + this.#startMs + frame * 20
    const data = new Uint8Array(160)
    this.media.audioFrame({ codec: 'pcmu', frame, captureMs, clockRate: 8_000, channels: 1, samples: 160, data })
  }

  #picture(layer: 'main' | 'sub'): void {
    const { fps, bytes, keyBytes, gop } = streams[layer]
    const frame = this.#frames[layer]++
    const keyframe = frame % gop === 0 || (layer === 'main' && this.#keyWanted)
    if (layer === 'main' && keyframe) this.#keyWanted = false
    const slice = new Uint8Array(keyframe ? keyBytes : bytes)
    slice[0] = keyframe ? 0x65 : 0x41
    const captureMs = 1_763_600_000_000 + this.#startMs + (frame * 1_000) / fps
    const unit = { codec: 'h264' as const, frame, captureMs, keyframe, reference: true, data: [slice] }
    this.media.accessUnit(unit, layer)
  }

  #send(mid: string, packet: Uint8Array): boolean {
    if (isRtcp(packet)) return true
    const nowMs = performance.now()
    const begins = Math.max(nowMs, this.#freeMs)
    if (begins - nowMs > 300 || (this.loss > 0 && this.#count++ % Math.round(1 / this.loss) === 0)) return true
    this.#freeMs = begins + (packet.length + 38) / this.bytesPerMs
    const waitedMs = this.#freeMs + 20 - nowMs
    setTimeout(() => {
      const { extensions } = parseRtp(packet)!
      const { data } = extensions.find(({ id }) => id === transportCcId)!
      this.#feedback.arrived((data[0]! << 8) | data[1]!, performance.now())
      this.arrived.push({ atMs: this.nowMs, mid, frame: readFrameNumber(extensions), waitedMs })
      const line = mid === mids.video ? 'video' : mid === mids.sub ? 'sub' : 'audio'
      this.#gateway?.packet(line, packet)
    }, waitedMs)
    return true
  }
}

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

describe('an uplink', () => {
  test('that bears everything carries everything, with one packet in twenty lost too', () => {
    const home = new Home()
    home.loss = 0.05
    home.run(20_000)
    expect(home.media.stats.mainLeftOut).toBe(false)
    expect(home.dropped).toEqual([])
    expect(new Set(home.of(mids.video).map(({ frame }) => frame)).size).toBeGreaterThanOrEqual(498)
    expect(home.media.spareRate ?? Number.POSITIVE_INFINITY).toBeGreaterThan(500_000)
  })

  test('that becomes thin carries sound and the small layer, and the main one again when it is wide', () => {
    const home = new Home()
    home.run(8_000)
    home.bytesPerMs = 60
    home.run(2_000)
    expect(home.media.stats.mainLeftOut).toBe(true)
    home.run(10_000)
    // Nothing of the main layer, all of the small one and of the sound, and without a queue.
    expect(home.of(mids.video, 11_000)).toEqual([])
    expect(new Set(home.of(mids.sub, 12_000).map(({ frame }) => frame)).size).toBeGreaterThanOrEqual(78)
    const lately = home.of(mids.audio, 12_000)
    expect(lately.length).toBeGreaterThanOrEqual(395)
    expect(Math.max(...lately.map(({ waitedMs }) => waitedMs))).toBeLessThan(200)
    expect(home.media.spareRate).toBeLessThan(400_000)
    home.bytesPerMs = 1_000
    const asked = home.wanted.length
    home.run(10_000)
    expect(home.media.stats.mainLeftOut).toBe(false)
    expect(home.wanted.slice(asked)).toContain('main')
    const [first] = home.of(mids.video, 20_000)
    expect(first).toBeDefined()
    // What was not sent is told group by group, so that footage brings it while it is kept.
    const missing = home.dropped.reduce((sum, [from, to]) => sum + to - from + 1, 0)
    const sent = new Set(home.of(mids.video).map(({ frame }) => frame))
    const last = Math.max(...[...sent].map((frame) => frame ?? 0))
    const untold = Array.from({ length: last }, (_, frame) => frame).filter(
      (frame) => !sent.has(frame) && !home.dropped.some(([from, to]) => frame >= from && frame <= to),
    )
    // But for what the queue swallowed: the gateway asks for that again.
    expect(untold.length).toBeLessThan(25)
    expect(missing).toBeGreaterThan(200)
    expect(home.dropped.length).toBeGreaterThan(4)
  })

  test('gets the main layer again where the small one stops', () => {
    const home = new Home()
    home.run(8_000)
    home.bytesPerMs = 60
    home.run(2_000)
    expect(home.media.stats.mainLeftOut).toBe(true)
    home.subComes = false
    home.run(3_000)
    expect(home.media.stats.mainLeftOut).toBe(false)
    home.run(5_000)
    expect(home.of(mids.video, 13_000).length).toBeGreaterThan(0)
  })

  test('too thin even for the only layer there is carries the sound, and what it can of keyframes', () => {
    const home = new Home({ sub: false })
    home.run(6_000)
    home.bytesPerMs = 40
    home.run(20_000)
    const lately = home.of(mids.audio, 16_000)
    expect(lately.length).toBeGreaterThanOrEqual(480)
    const seen = new Set(home.of(mids.video, 12_000).map(({ frame }) => frame))
    expect(seen.size).toBeGreaterThan(0)
    expect(home.dropped.length).toBeGreaterThan(0)
  })
})

test('padding with which the uplink is tried is no picture to the gateway', () => {
  const none = { channels: 1, fmtp: '', frameNumberId: 1, captureTimeId: 2, transportCcId }
  const video = { kind: 'video', codec: 'h264', payloadType: 96, clockRate: 90_000, ...none } as const
  const gateway = new Producer({
    camera: 'house.door',
    run: 'boot-0001',
    video,
    sub: video,
    audio: undefined,
    talk: undefined,
    send: () => undefined,
    now: () => performance.now(),
    wallNow: () => 1_763_600_000_000,
    log: quietLog,
  })
  onTestFinished(() => gateway.close())
  const home = new Home({ gateway })
  home.run(8_000)
  home.bytesPerMs = 60
  home.run(8_000)
  home.bytesPerMs = 1_000
  home.run(6_000)
  const padding = home.arrived.filter(({ frame }) => frame === undefined)
  expect(padding.length).toBeGreaterThan(10)
  expect(padding.every(({ mid }) => mid === mids.sub)).toBe(true)
  expect(gateway.sub?.refused).toBe(0)
  expect(gateway.sub?.reordered).toBe(false)
})
