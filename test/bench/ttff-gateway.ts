/**
 * The gateway's media part alone, as a process: the scene put into a producer, WHEP over plain HTTP, a page to measure in.
 * `node test/bench/ttff-gateway.ts GOP BITRATE [FILE]` prints one line of JSON when it serves. A file is
 * one that is encoded already.
 */
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { asPorchlightError, toProblem } from '@porchlight/proto/errors.ts'
import { Sfu } from '../../gateway/sfu/sfu.ts'
import { ViewerSessions } from '../../gateway/signaling/viewers.ts'
import { NodeDataChannelEngine } from '../../gateway/webrtc/node-datachannel.ts'
import { encodeAgain } from '../sim/encode.ts'
import { readMp4 } from '../sim/mp4-source.ts'
import { credential } from '../support/credential.ts'
import { InjectedCamera } from '../support/injected-camera.ts'
import { freeUdpPort } from '../support/ports.ts'
import { quietLog } from '../support/quiet-log.ts'

const scene = fileURLToPath(new URL('../sim/scene/main.mp4', import.meta.url))
const [gop = '100', bitrate = '2000000', file] = process.argv.slice(2)
const encoded = file ?? (await encodeAgain(scene, { gop: Number(gop), bitrate: Number(bitrate) }))
const video = readMp4(await readFile(encoded))
const udp = await freeUdpPort()
const now = () => performance.now()
const sfu = new Sfu({ now, log: quietLog })
const engine = new NodeDataChannelEngine({ bindAddress: '127.0.0.1', port: udp, announce: [], log: quietLog })
const viewers = new ViewerSessions({ engine, sfu, want: () => undefined, now, wallNow: Date.now, log: quietLog })
const camera = new InjectedCamera('house.porch', video)
sfu.publish(camera.producer)
camera.start()

const subject = { kind: 'user', userId: 'bench', name: 'bench', role: 'owner', credential } as const
const server = createServer(async (request, reply) => {
  if (request.method !== 'POST') {
    reply.setHeader('content-type', 'text/html').end('<!doctype html><video autoplay playsinline muted></video>')
    return
  }
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  try {
    const { id, answer } = await viewers.join('house.porch', Buffer.concat(chunks).toString(), subject)
    reply.writeHead(201, { 'content-type': 'application/sdp', location: `/api/whep/${id}` }).end(answer)
  } catch (thrown) {
    const error = asPorchlightError(thrown)
    reply.writeHead(error.status).end(JSON.stringify(toProblem(error)))
  }
})
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo
  process.stdout.write(
    `${JSON.stringify({ url: `http://127.0.0.1:${port}/`, udp, frames: video.samples.length, startMs: camera.startMs })}\n`,
  )
})
process.once('SIGTERM', async () => {
  server.close()
  camera.close()
  await viewers.close()
  await sfu.close()
  await engine.close()
  process.exit(0)
})
