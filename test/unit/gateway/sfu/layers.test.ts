import { LayerChoice } from '@porchlight/proto/media/congestion/layer-choice.ts'
import { writeRtcp } from '@porchlight/proto/media/rtcp.ts'
import { isRtcp, parseRtp, writeRtp } from '@porchlight/proto/media/rtp.ts'
import { writeAbsCaptureTime } from '@porchlight/proto/media/rtp-extensions.ts'
import { describe, expect, onTestFinished, test } from 'vitest'
import { ArrivalFeedback } from '../../../../gateway/sfu/arrival-feedback.ts'
import { Consumer } from '../../../../gateway/sfu/consumer.ts'
import { Producer } from '../../../../gateway/sfu/producer.ts'
import { quietLog } from '../../../support/quiet-log.ts'

const captureTimeId = 2
const transportCcId = 4
const wallMs = 1_763_600_000_000

/** Pictures a second, bytes of a picture and of a keyframe, pictures from keyframe to keyframe, first RTP time. */
const streams = {
  video: { rate: 25, bytes: 8_000, keyBytes: 30_000, gop: 100, ssrc: 1, clock: 4_294_000_000 },
  sub: { rate: 10, bytes: 2_000, keyBytes: 6_000, gop: 20, ssrc: 2, clock: 77_000 },
} as const

/** A camera with two layers, a viewer with transport-wide feedback, and a link between them that bears `bytesPerMs`. */
class House {
  nowMs = 100_000
  bytesPerMs = 375
  readonly producer: Producer
  readonly consumer: Consumer
  /** Packets of the picture as the viewer got them, with the capture time of their frame. */
  readonly shown: { atMs: number; sequence: number; timestamp: number; layer: 'video' | 'sub'; captureMs: number }[] =
    []
  /** First packet of each number, by SSRC and number. */
  readonly #sent = new Map<string, Buffer>()
  /** Numbers under which something else was sent once more. */
  readonly differing: string[] = []
  readonly #feedback = new ArrivalFeedback()
  readonly #onLink: { atMs: number; bytes: Buffer }[] = []
  readonly #counts = { video: 0, sub: 0 }
  readonly #sequences = { video: 60_000, sub: 3 }
  #linkFreeMs = 0
  #backlog = false
  subLives = true
  mainLives = true

  /** @param rtx whether the viewer takes repetitions on a source of their own (RFC 4588) */
  constructor(rtx = true) {
    const format = {
      codec: 'h264' as const,
      payloadType: 96,
      clockRate: 90_000,
      channels: 1,
      fmtp: '',
      frameNumberId: undefined,
      captureTimeId,
      transportCcId: undefined,
    }
    this.producer = new Producer({
      camera: 'house.door',
      run: 'boot-0001',
      video: { kind: 'video', ...format },
      sub: { kind: 'video', ...format },
      audio: undefined,
      talk: undefined,
      send: () => undefined,
      now: () => this.nowMs,
      wallNow: () => wallMs,
      log: quietLog,
    })
    this.consumer = new Consumer({
      session: 'viewer-1',
      video: {
        ...{ mid: '0', ssrc: 42, payloadType: 102, transportCcId, asksAgain: true },
        rtx: rtx ? { ssrc: 43, payloadType: 103 } : undefined,
      },
      audio: undefined,
      send: (_, bytes) => this.#send(Buffer.from(bytes)),
      backlog: () => {
        this.#backlog = true
      },
      now: () => this.nowMs,
    })
    onTestFinished(() => this.producer.close())
  }

  /** A queue of 300 ms, and what does not fit is lost. */
  #send(bytes: Buffer): void {
    const rtp = isRtcp(bytes) ? undefined : parseRtp(bytes)
    if (rtp) {
      const key = `${rtp.ssrc}/${rtp.sequence}`
      const first = this.#sent.get(key)
      if (first && !first.equals(bytes)) this.differing.push(key)
      this.#sent.set(key, first ?? bytes)
    }
    const begins = Math.max(this.nowMs, this.#linkFreeMs)
    if (begins - this.nowMs > 300) return
    this.#linkFreeMs = begins + bytes.length / this.bytesPerMs
    this.#onLink.push({ atMs: this.#linkFreeMs + 20, bytes })
  }

  run(ms: number): void {
    for (const until = this.nowMs + ms; this.nowMs < until; this.nowMs++) {
      for (const name of ['video', 'sub'] as const) {
        const due = Math.floor(((this.nowMs - 100_000) * streams[name].rate) / 1000)
        if (due >= this.#counts[name] && (name === 'video' ? this.mainLives : this.subLives)) this.#picture(name)
      }
      if (this.#backlog && this.nowMs % 2 === 0) this.#backlog = this.consumer.pump()
      while ((this.#onLink[0]?.atMs ?? Number.POSITIVE_INFINITY) <= this.nowMs) this.#arrives(this.#onLink.shift()!)
      if (this.nowMs % 50 !== 0) continue
      const feedback = this.#feedback.take(9, 42)
      if (feedback) this.consumer.rtcp('0', writeRtcp([feedback]))
    }
  }

  /** The layer comes again, from the next picture on. */
  resume(name: 'video' | 'sub'): void {
    this.#counts[name] = Math.ceil(((this.nowMs - 100_000) * streams[name].rate) / 1000)
    if (name === 'video') this.mainLives = true
    else this.subLives = true
  }

  #picture(name: 'video' | 'sub'): void {
    const { rate, bytes, keyBytes, gop, ssrc, clock } = streams[name]
    const number = this.#counts[name]++
    const key = number % gop === 0
    const count = Math.ceil((key ? keyBytes : bytes) / 1_100)
    for (let index = 0; index < count; index++) {
      const payload = new Uint8Array(1_100)
      payload.set(key ? [0x7c, index === 0 ? 0x85 : 0x05, 0x88] : [0x41, 0x9a])
      // What the viewer sees tells which picture it was.
      payload.set([ssrc], 10)
      Buffer.from(payload.buffer).writeUInt32BE(number, 12)
      const captureTime = { id: captureTimeId, data: writeAbsCaptureTime(wallMs + (number * 1000) / rate) }
      const packet = writeRtp({
        marker: index === count - 1,
        payloadType: 96,
        sequence: this.#sequences[name]++ & 0xffff,
        timestamp: (clock + (number * 90_000) / rate) % 2 ** 32,
        ssrc,
        extensions: index === 0 ? [captureTime] : [],
        payload,
      })
      this.producer.packet(name, packet)
    }
  }

  #arrives({ atMs, bytes }: { atMs: number; bytes: Buffer }): void {
    const rtp = isRtcp(bytes) ? undefined : parseRtp(bytes)
    if (!rtp) return
    this.#feedback.arrived(Buffer.from(rtp.extensions[0]!.data).readUInt16BE(), atMs)
    if (rtp.ssrc !== 42) return
    const payload = Buffer.from(rtp.payload)
    const layer = payload[10] === streams.video.ssrc ? 'video' : 'sub'
    const captureMs = (payload.readUInt32BE(12) * 1000) / streams[layer].rate
    this.shown.push({ atMs, sequence: rtp.sequence, timestamp: rtp.timestamp, layer, captureMs })
  }

  /** The viewer asks for the last `count` numbers. */
  askAgain(count: number): void {
    const last = this.shown.at(-1)!.sequence
    const lost = Array.from({ length: count }, (_, index) => (last - index) & 0xffff).reverse()
    this.consumer.rtcp('0', writeRtcp([{ type: 'nack', sender: 9, media: 42, lost }]))
  }

  /** Runs until the viewer gets `layer`. @returns how long it took, ms; undefined: not within `mostMs` */
  until(layer: 'main' | 'sub', mostMs: number): number | undefined {
    const from = this.nowMs
    while (this.consumer.layer !== layer) {
      if (this.nowMs - from >= mostMs) return undefined
      this.run(10)
    }
    return this.nowMs - from
  }
}

function watching(rtx = true): House {
  const house = new House(rtx)
  house.run(2_000)
  house.consumer.attach(house.producer)
  house.consumer.opened('0')
  house.run(8_000)
  return house
}

describe('a viewer of a camera with two layers', () => {
  test('stays on the main one while the link bears it', () => {
    const house = watching()
    house.run(8_000)
    expect(house.consumer.layer).toBe('main')
    expect(house.shown.every(({ layer }) => layer === 'video')).toBe(true)
  })

  test('gets the small one on a link that became thin, and the main one when it is wide again', () => {
    const house = watching()
    house.bytesPerMs = 50
    expect(house.until('sub', 2_000)).toBeDefined()
    house.run(15_000)
    expect(house.consumer.layer).toBe('sub')
    // It moves: of ten pictures a second nearly all come.
    const lately = house.shown.filter(({ atMs }) => atMs > house.nowMs - 5_000)
    expect(new Set(lately.map(({ captureMs }) => captureMs)).size).toBeGreaterThan(45)
    house.bytesPerMs = 375
    expect(house.until('main', 10_000)).toBeDefined()
    house.run(10_000)
    expect(house.consumer.layer).toBe('main')
  })

  test('gets keyframes alone, and fresh ones, on a link too thin even for the small layer', () => {
    const house = watching()
    house.bytesPerMs = 9
    house.run(30_000)
    const lately = house.shown.filter(({ atMs }) => atMs > house.nowMs - 15_000)
    expect(lately.every(({ layer }) => layer === 'sub')).toBe(true)
    const moments = [...new Set(lately.map(({ captureMs }) => captureMs))]
    // One every 2 s; beside them a few pictures that came in time.
    expect(moments.filter((ms) => ms % 2_000 === 0).length).toBeGreaterThanOrEqual(4)
    expect(moments.length).toBeLessThan(60)
    for (const { atMs, captureMs } of lately) expect(atMs - 100_000 - captureMs).toBeLessThan(3_000)
  })

  test('sees one time line: numbers without a hole of ours, and times that belong to the moment of capture', () => {
    const house = watching()
    house.bytesPerMs = 50
    house.run(6_000)
    house.bytesPerMs = 375
    house.run(10_000)
    const { shown } = house
    expect(new Set(shown.map(({ layer }) => layer))).toEqual(new Set(['video', 'sub']))
    // Where pictures are not squeezed, RTP time minus capture time is the same on both layers.
    const offset = (one: (typeof shown)[number]) => (one.timestamp - Math.round(one.captureMs * 90)) | 0
    const before = shown.filter(({ atMs, layer }) => layer === 'video' && atMs < 110_000).at(-1)!
    for (const one of [shown.filter(({ layer }) => layer === 'sub').at(-1)!, shown.at(-1)!]) {
      expect(Math.abs(offset(one) - offset(before))).toBeLessThan(90 * 5)
    }
    for (const [index, { sequence, timestamp }] of shown.entries()) {
      const earlier = shown[index - 1]
      if (!earlier) continue
      expect((sequence - earlier.sequence) & 0xffff).toBeLessThan(0x8000)
      expect((timestamp - earlier.timestamp) | 0).toBeGreaterThanOrEqual(0)
    }
  })

  test('gets nothing else under a number that it had, whatever it asks for and whichever layer it was of', () => {
    const house = watching(false)
    const again = () => {
      for (let round = 0; round < 20; round++) {
        house.run(100)
        house.askAgain(200)
      }
    }
    house.bytesPerMs = 50
    expect(house.until('sub', 4_000)).toBeDefined()
    again()
    house.bytesPerMs = 375
    expect(house.until('main', 20_000)).toBeDefined()
    again()
    expect(house.consumer.senders[0]!.resent).toBeGreaterThan(50)
    expect(house.differing).toEqual([])
  })

  test('goes back to the main one when nothing comes of the small one any more', () => {
    const house = watching()
    house.bytesPerMs = 50
    house.until('sub', 4_000)
    house.bytesPerMs = 375
    house.subLives = false
    expect(house.until('main', 8_000)).toBeDefined()
  })
})

describe('a device that leaves a layer out', () => {
  test('of the main one: viewers get the small one, and the main one when it comes again', () => {
    const house = watching()
    house.mainLives = false
    expect(house.until('sub', 3_000)).toBeDefined()
    house.run(10_000)
    const lately = house.shown.filter(({ atMs }) => atMs > house.nowMs - 5_000)
    expect(new Set(lately.map(({ captureMs }) => captureMs)).size).toBeGreaterThan(45)
    house.resume('video')
    expect(house.until('main', 5_000)).toBeDefined()
    house.run(5_000)
    expect(house.consumer.layer).toBe('main')
  })

  test('a viewer who comes meanwhile gets the other one at once', () => {
    const house = new House()
    house.run(2_000)
    house.mainLives = false
    house.run(5_000)
    house.consumer.attach(house.producer)
    house.consumer.opened('0')
    house.run(500)
    expect(house.shown.length).toBeGreaterThan(0)
    expect(house.shown.every(({ layer }) => layer === 'sub')).toBe(true)
  })
})

describe('which layer', () => {
  const facts = { rate: 100, probing: false, main: 200 }

  test('a dip of the estimate is passed over', () => {
    const choice = new LayerChoice()
    choice.decide({ ...facts, nowMs: 0 })
    choice.decide({ ...facts, nowMs: 300 })
    choice.decide({ ...facts, nowMs: 350, rate: 250 })
    expect(choice.decide({ ...facts, nowMs: 600 })).toBe('main')
  })

  test('a link that goes up and down is tried less and less often', () => {
    const choice = new LayerChoice()
    const stays: number[] = []
    let nowMs = 0
    for (let round = 0; round < 6; round++) {
      while (choice.decide({ ...facts, nowMs }) === 'main') nowMs += 50
      const from = nowMs
      while (choice.decide({ ...facts, nowMs, rate: 300 }) === 'sub') nowMs += 50
      stays.push(nowMs - from)
    }
    expect(stays.slice(1)).toEqual([8_000, 16_000, 32_000, 32_000, 32_000])
  })

  test('while nothing shows where the link ends, and before the camera is known, nothing changes', () => {
    const choice = new LayerChoice()
    for (let nowMs = 0; nowMs < 5_000; nowMs += 50) {
      expect(choice.decide({ ...facts, nowMs, probing: true })).toBe('main')
      expect(choice.decide({ ...facts, nowMs, main: 0 })).toBe('main')
    }
  })
})
