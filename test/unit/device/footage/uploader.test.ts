import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { FootageDecoder } from '@porchlight/proto/footage.ts'
import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FootageUploader } from '../../../../device/footage/uploader.ts'
import type { Span } from '../../../../device/preroll/ring.ts'
import { numbers, pictures, sound } from '../frames.ts'

interface Body {
  camera: string
  bytes: Buffer
  complete: boolean
}

/** The gateway's side of a delivery, with faults on demand. */
class Receiver {
  readonly bodies = new Map<string, Body>()
  readonly tokens = new Set<string>()
  /** Called ahead of each PUT; true: it has dealt with it. */
  fault: ((request: IncomingMessage, response: ServerResponse) => boolean) | undefined
  readonly #server: Server
  readonly #changed = new Set<() => void>()

  constructor() {
    this.#server = createServer((request, response) => void this.#answer(request, response))
  }

  async listen(): Promise<string> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#server.listen(0, '127.0.0.1', resolve)
    await promise
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async close(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#server.close(() => resolve())
    this.#server.closeAllConnections()
    await promise
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#changed.add(resolve)
      await promise
    }
  }

  get complete(): Body[] {
    return [...this.bodies.values()].filter((body) => body.complete)
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [, camera, id] = /^\/api\/device\/cameras\/([^/]+)\/footage\/([^/]+)$/.exec(request.url ?? '') ?? []
    this.tokens.add(request.headers.authorization ?? '')
    const json = (status: number, value: unknown) => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
      for (const resolve of this.#changed) resolve()
      this.#changed.clear()
    }
    if (camera === undefined || id === undefined) return json(404, { code: 'not_found' })
    const body = this.bodies.get(id) ?? { camera, bytes: Buffer.alloc(0), complete: false }
    if (request.method === 'GET') return json(200, { offset: body.bytes.byteLength, complete: body.complete })
    if (this.fault?.(request, response)) return
    const [, start, end, total] = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(request.headers['content-range'] ?? '') ?? []
    if (Number(start) !== body.bytes.byteLength) {
      request.resume()
      return json(409, { code: 'footage_offset', offset: body.bytes.byteLength })
    }
    const parts: Buffer[] = []
    for await (const part of request as AsyncIterable<Buffer>) parts.push(part)
    const piece = Buffer.concat(parts)
    expect(piece.byteLength).toBe(Number(end) - Number(start) + 1)
    body.bytes = Buffer.concat([body.bytes, piece])
    body.complete = Number(total) === body.bytes.byteLength
    this.bodies.set(id, body)
    json(200, { offset: body.bytes.byteLength })
  }
}

function decode(body: Body): { units: number[]; audio: number[] } {
  const units: number[] = []
  const audio: number[] = []
  const decoder = new FootageDecoder({
    header: () => undefined,
    unit: (unit) => void units.push(unit.frame),
    audio: (frame) => void audio.push(frame.frame),
  })
  decoder.push(body.bytes)
  decoder.end()
  return { units, audio }
}

const span = (from: number, count: number, bytes = 2_000): Span => ({
  videoFormat: { codec: 'h264', width: 640, height: 360 },
  audioFormat: { codec: 'pcmu', clockRate: 8_000, channels: 1 },
  units: pictures({ from, count, bytes }),
  audio: sound(10),
})

let receiver: Receiver
let uploader: FootageUploader

function make(api: string, limits: { maxKbps?: number; queueBytes?: number } = {}): FootageUploader {
  return new FootageUploader({
    bootId: 'boot-0001',
    limits: { maxKbps: 1_000_000, queueBytes: 1 << 26, maxHours: 1, ...limits },
    target: { api, token: () => 'device-token', authority: async () => undefined },
    now: Date.now,
    random: () => 0.01,
    log: pino({ level: 'silent' }),
  })
}

beforeEach(async () => {
  receiver = new Receiver()
  uploader = make(await receiver.listen())
})
afterEach(async () => {
  await uploader.close()
  await receiver.close()
})

describe('FootageUploader', () => {
  it('delivers in pieces of at most 1 MB, with its token', async () => {
    let largest = 0
    receiver.fault = (request) => {
      largest = Math.max(largest, Number(request.headers['content-length']))
      return false
    }
    const long = span(0, 1_000)
    uploader.enqueue('door', long)
    await receiver.until(() => receiver.complete.length === 1)
    expect(decode(receiver.complete[0]!)).toEqual({ units: numbers(long.units), audio: numbers(long.audio) })
    expect(largest).toBeLessThanOrEqual(1 << 20)
    expect([...receiver.tokens]).toEqual(['Bearer device-token'])
    expect(uploader.taken('door').ranges).toEqual([[0, 999]])
  })

  it('goes on where it broke off', async () => {
    let calls = 0
    receiver.fault = (request) => {
      calls += 1
      if (calls !== 2 && calls !== 4) return false
      request.socket.destroy()
      return true
    }
    uploader.enqueue('door', span(0, 1_000))
    await receiver.until(() => receiver.complete.length === 1)
    expect(decode(receiver.complete[0]!).units).toHaveLength(1_000)
    expect(calls).toBeGreaterThan(4)
  })

  it('goes back where the gateway has lost a part', async () => {
    let calls = 0
    receiver.fault = () => {
      calls += 1
      if (calls === 3) for (const body of receiver.bodies.values()) body.bytes = body.bytes.subarray(0, 100_001)
      return false
    }
    uploader.enqueue('door', span(0, 1_000))
    await receiver.until(() => receiver.complete.length === 1)
    expect(decode(receiver.complete[0]!).units).toHaveLength(1_000)
  })

  it('drops what the gateway can never take, and goes on with the next', async () => {
    let calls = 0
    receiver.fault = (request, response) => {
      calls += 1
      if (calls > 1) return false
      request.resume()
      response.writeHead(400).end(JSON.stringify({ code: 'footage_invalid' }))
      return true
    }
    uploader.enqueue('door', span(0, 10))
    uploader.enqueue('door', span(10, 10))
    await receiver.until(() => receiver.complete.length === 1)
    expect(decode(receiver.complete[0]!).units[0]).toBe(10)
    expect(uploader.dropped).toBe(1)
    expect(uploader.taken('door').ranges).toEqual([[10, 19]])
  })

  it('lets others pass one that is refused for now', async () => {
    receiver.fault = (request, response) => {
      if (!request.url?.includes('/gate/') || receiver.complete.length > 0) return false
      request.resume()
      response.writeHead(404).end(JSON.stringify({ code: 'camera_not_found' }))
      return true
    }
    uploader.enqueue('gate', span(0, 10))
    uploader.enqueue('door', span(0, 10))
    await receiver.until(() => receiver.complete.length === 2)
    expect(receiver.complete.map((body) => body.camera)).toEqual(['door', 'gate'])
  })

  it('is bounded: the oldest that waits is dropped, and its frames may come again', async () => {
    const away = make('http://127.0.0.1:9', { queueBytes: 100_000 })
    for (let index = 0; index < 10; index += 1) away.enqueue('door', span(index * 10, 10))
    expect(away.queuedBytes).toBeLessThanOrEqual(100_000)
    expect(away.dropped).toBeGreaterThan(0)
    expect(away.taken('door').missing(0, 99)).not.toEqual([])
    await away.close()
  })
})
