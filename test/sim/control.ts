import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { toWav } from '../support/wav.ts'
import type { SimulatedCamera } from './start-camera.ts'

const maxBody = 64 * 1024

async function readJson(request: IncomingMessage): Promise<Record<string, unknown>> {
  let text = ''
  for await (const chunk of request) {
    text += chunk
    if (text.length > maxBody) throw new Error('The body is too large')
  }
  const value: unknown = JSON.parse(text)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error('The body is no object')
  return value as Record<string, unknown>
}

/**
 * The HTTP control of a simulated camera, on 127.0.0.1: `GET /frames?since=ms&stream=main|sub`, `GET /state`,
 * `GET /heard.wav`, `DELETE /heard.wav`, `POST /knob` with `{"hang": true, …}` (or `{"drop": true}`).
 */
export async function openControl(
  camera: SimulatedCamera,
  port: number,
): Promise<{ url: string; close(): Promise<void> }> {
  const answer = async (request: IncomingMessage): Promise<{ body: string | Buffer; type?: string } | undefined> => {
    const url = new URL(request.url ?? '/', 'http://localhost')
    switch (`${request.method} ${url.pathname}`) {
      case 'GET /frames': {
        const stream = url.searchParams.get('stream') === 'sub' ? 'sub' : 'main'
        return { body: JSON.stringify(camera.frames(Number(url.searchParams.get('since') ?? 0), stream)) }
      }
      case 'GET /state': {
        const { packets, foreign, firstMs } = camera.hearing
        return { body: JSON.stringify({ ...camera.clients, heard: { packets, foreign, firstMs } }) }
      }
      case 'GET /heard.wav':
        return { body: toWav(camera.heard(), 8000), type: 'audio/wav' }
      case 'DELETE /heard.wav':
        camera.hearing.clear()
        return { body: '{}' }
      case 'POST /knob': {
        const { drop, ...knobs } = await readJson(request)
        camera.turn(knobs)
        if (drop === true) camera.drop()
        return { body: '{}' }
      }
      default:
        return undefined
    }
  }
  const server = createServer((request, response) => {
    answer(request).then(
      (found) => {
        response.writeHead(found ? 200 : 404, { 'content-type': found?.type ?? 'application/json' })
        response.end(found?.body ?? '{}')
      },
      (error: Error) => response.writeHead(400, { 'content-type': 'text/plain' }).end(error.message),
    )
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
