import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { FootageDecoder } from '@porchlight/proto/footage.ts'
import { goneReport } from '@porchlight/proto/frames.ts'
import type { z } from 'zod'

export interface ReceivedBody {
  camera: string
  id: string
  bytes: Buffer
  complete: boolean
}

/** The gateway's side of footage, with faults on demand. */
export class FootageReceiver {
  readonly bodies = new Map<string, ReceivedBody>()
  readonly tokens = new Set<string>()
  readonly gone: (z.infer<typeof goneReport> & { camera: string })[] = []
  /** `Content-Range` of pieces that began where it does not go on. */
  readonly refusedRanges: string[] = []
  /** Each question which frames are missing, as `camera run from-to`. */
  readonly asked: string[] = []
  /** Which frames are missing; undefined: a gateway that does not know the question. */
  missing: ((run: string, from: number, to: number) => [number, number][]) | undefined
  /** Called ahead of each PUT; true: it has dealt with it. */
  fault: ((request: IncomingMessage, response: ServerResponse) => boolean) | undefined
  /** Bytes of bodies that came in, repeats included. */
  receivedBytes = 0
  readonly #server: Server
  readonly #changed = new Set<() => void>()

  constructor() {
    this.#server = createServer((request, response) => void this.#answer(request, response))
  }

  /** @param port 0: any free one @returns the address of the API */
  async listen(port = 0): Promise<string> {
    this.#server.listen(port, '127.0.0.1')
    await once(this.#server, 'listening')
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async close(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#server.close(() => resolve())
    this.#server.closeAllConnections()
    await promise
  }

  /** Resolves when an answer has made it true. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#changed.add(resolve)
      await promise
    }
  }

  /** In the order in which they began. */
  get complete(): ReceivedBody[] {
    return [...this.bodies.values()].filter((body) => body.complete)
  }

  /** Numbers of all pictures in whole deliveries, in order of arrival. */
  get frames(): number[] {
    return this.complete.flatMap((body) => decodeFootage(body.bytes).units)
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.tokens.add(request.headers.authorization ?? '')
    const answer = (status: number, value?: unknown) => {
      response.writeHead(status, { 'content-type': 'application/json' })
      response.end(value === undefined ? undefined : JSON.stringify(value))
      for (const resolve of this.#changed) resolve()
      this.#changed.clear()
    }
    const url = new URL(request.url ?? '', 'http://gateway')
    const [, camera = '', what, id] =
      /^\/api\/device\/cameras\/([^/]+)\/(frames|footage)(?:\/([^/]+))?$/.exec(url.pathname) ?? []
    if (what === 'frames' && (request.method === 'POST') === (id === 'gone') && this.missing !== undefined) {
      if (id === 'gone') {
        this.gone.push({ camera, ...goneReport.parse(JSON.parse((await readAll(request)).toString())) })
        return answer(204)
      }
      const [run, from, to] = ['run', 'from', 'to'].map((name) => url.searchParams.get(name) ?? '')
      this.asked.push(`${camera} ${run} ${from}-${to}`)
      return answer(200, { missing: this.missing(run!, Number(from), Number(to)) })
    }
    if (what !== 'footage' || id === undefined) {
      request.resume()
      return answer(404, { code: 'not_found' })
    }
    const body = this.bodies.get(id) ?? { camera, id, bytes: Buffer.alloc(0), complete: false }
    if (request.method === 'GET') return answer(200, { offset: body.bytes.byteLength, complete: body.complete })
    if (this.fault?.(request, response)) return
    await this.#put(request, body, answer)
  }

  async #put(
    request: IncomingMessage,
    body: ReceivedBody,
    answer: (status: number, value: unknown) => void,
  ): Promise<void> {
    const [, start, end, total] = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(request.headers['content-range'] ?? '') ?? []
    if (Number(start) !== body.bytes.byteLength) {
      request.resume()
      this.refusedRanges.push(request.headers['content-range'] ?? '')
      return answer(409, { code: 'footage_offset', offset: body.bytes.byteLength })
    }
    const piece = await readAll(request)
    if (piece.byteLength !== Number(end) - Number(start) + 1) return answer(400, { code: 'request_invalid' })
    this.receivedBytes += piece.byteLength
    body.bytes = Buffer.concat([body.bytes, piece])
    body.complete = Number(total) === body.bytes.byteLength
    this.bodies.set(body.id, body)
    answer(200, { offset: body.bytes.byteLength })
  }
}

/** Numbers of the pictures and the audio frames of a body. */
export function decodeFootage(bytes: Uint8Array): { units: number[]; audio: number[] } {
  const units: number[] = []
  const audio: number[] = []
  const decoder = new FootageDecoder({
    header: () => undefined,
    unit: (unit) => void units.push(unit.frame),
    audio: (frame) => void audio.push(frame.frame),
  })
  decoder.push(bytes)
  decoder.end()
  return { units, audio }
}

async function readAll(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = []
  for await (const part of request as AsyncIterable<Buffer>) parts.push(part)
  return Buffer.concat(parts)
}
