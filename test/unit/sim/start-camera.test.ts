import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { writeRtp } from '@porchlight/proto/media/rtp.ts'
import { describe, expect, onTestFinished, test } from 'vitest'
import { encodeAgain } from '../../sim/encode.ts'
import { readMp4 } from '../../sim/mp4-source.ts'
import { writeFrame } from '../../sim/rtsp/messages.ts'
import { type CameraOptions, startCamera } from '../../sim/start-camera.ts'
import { decode, decodeAudio, decodeBarcodes, ffmpegPath } from '../../support/decode.ts'
import { encodeMuLaw } from '../../support/g711.ts'
import { tempDir } from '../../support/temp-dir.ts'
import { dominantTone, sine } from '../../support/tone.ts'
import { fromWav } from '../../support/wav.ts'

async function camera(options: CameraOptions = {}) {
  const started = await startCamera(options)
  onTestFinished(() => started.close())
  return started
}

/** Lets ffmpeg take a stream for some seconds. */
async function take(url: string, seconds: number, transport: string): Promise<string> {
  const file = join(await tempDir(), 'taken.mkv')
  const options = ['-v', 'error', '-rtsp_transport', transport, '-i', url, '-t', String(seconds), '-c', 'copy', file]
  await promisify(execFile)(ffmpegPath(), options)
  return file
}

/** A client that speaks plain RTSP over one connection. */
async function dial(url: string) {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  onTestFinished(() => void socket.destroy())
  await once(socket, 'connect')
  let kept = ''
  let heard = () => {}
  socket.on('data', (chunk) => {
    kept += chunk.toString('latin1')
    heard()
  })
  let sequence = 0
  return {
    socket,
    async ask(method: string, target: string, headers: Record<string, string> = {}): Promise<string> {
      sequence += 1
      const lines = Object.entries({ CSeq: sequence, ...headers }).map(([name, value]) => `${name}: ${value}\r\n`)
      socket.write(`${method} ${target} RTSP/1.0\r\n${lines.join('')}\r\n`)
      const pattern = new RegExp(
        `RTSP/1\\.0 \\d+ [^\\r]+\\r\\nCSeq: ${sequence}\\r\\n[\\s\\S]*?\\r\\n\\r\\n(v=0[\\s\\S]*)?`,
      )
      return new Promise((resolve) => {
        heard = () => {
          const answer = pattern.exec(kept)?.[0]
          if (answer !== undefined) resolve(answer)
        }
        heard()
      })
    },
  }
}

const backchannel = { Require: 'www.onvif.org/ver20/backchannel' }

describe('simulated camera', () => {
  test('ffmpeg takes picture and sound over TCP with Digest; the log knows when each picture was sent', async () => {
    const started = await camera({ user: 'bob', password: 'secret' })
    const began = Date.now()
    const file = await take(started.url.replace('://', '://bob:secret@'), 2, 'tcp')
    const codes = await decodeBarcodes(file)
    expect(codes.length).toBeGreaterThan(25)
    expect(codes).toEqual(codes.map((_, index) => codes[0]! + index))
    const sent = started.framesSentAt(codes[0]!)!
    expect(sent).toBeGreaterThan(began)
    const last = started.framesSentAt(codes.at(-1)!)!
    expect(Math.abs(last - sent - (codes.length - 1) * 40)).toBeLessThan(500)
    expect(started.frames(sent).every((frame) => frame.sentMs > sent)).toBe(true)
    expect(dominantTone(await decodeAudio(file, 8000), 8000)?.frequency).toBeCloseTo(440, -0.3)
  })

  test('ffmpeg takes the sub stream over UDP', async () => {
    const started = await camera({ transport: 'udp' })
    const { video, errors } = await decode(await take(started.subUrl, 2, 'udp'))
    expect(errors).toEqual([])
    expect(video.length).toBeGreaterThan(10)
  })

  test('a wrong password is refused', async () => {
    const started = await camera({ user: 'bob', password: 'secret', schemes: ['digest-sha256'] })
    await expect(take(started.url.replace('://', '://bob:guess@'), 1, 'tcp')).rejects.toThrow(/401/)
  })

  test('the backchannel is described only on request, and what comes in is kept', async () => {
    const started = await camera({ controlPort: 0 })
    const client = await dial(started.url)
    expect(await client.ask('DESCRIBE', started.url)).not.toMatch(/a=sendonly/)
    expect(await client.ask('DESCRIBE', started.url, backchannel)).toMatch(/a=control:trackID=2\r\na=sendonly/)
    const transport = { Transport: 'RTP/AVP/TCP;unicast;interleaved=4-5' }
    expect(await client.ask('SETUP', `${started.url}/trackID=2`, { ...transport, ...backchannel })).toMatch(/ 200 /)
    expect(await client.ask('PLAY', started.url, backchannel)).toMatch(/ 200 /)
    const talk = Uint8Array.from(sine(700, 8000, 8000), encodeMuLaw)
    for (let block = 0; block < 50; block += 1) {
      const payload = talk.subarray(block * 160, block * 160 + 160)
      const packet = { marker: false, payloadType: 0, sequence: block, timestamp: block * 160, ssrc: 1, extensions: [] }
      client.socket.write(writeFrame(4, writeRtp({ ...packet, payload })))
    }
    await client.ask('GET_PARAMETER', started.url) // answered in order: all of it has been read
    expect(dominantTone(started.heard(), 8000)?.frequency).toBeCloseTo(700, -0.3)
    const wav = fromWav(new Uint8Array(await (await fetch(`${started.controlUrl}/heard.wav`)).arrayBuffer()))
    expect(wav).toMatchObject({ sampleRate: 8000, samples: { length: 8000 } })
  })

  test('a camera without a backchannel says 551', async () => {
    const started = await camera({ backchannel: 'refused' })
    const client = await dial(started.url)
    expect(await client.ask('DESCRIBE', started.url, backchannel)).toMatch(/^RTSP\/1\.0 551 .*[\s\S]*Unsupported: www/)
  })

  test('unknown paths, transports and methods have their answers', async () => {
    const started = await camera({ transport: 'tcp' })
    const client = await dial(started.url)
    expect(await client.ask('DESCRIBE', started.url.replace('main', 'attic'))).toMatch(/ 404 /)
    const udp = { Transport: 'RTP/AVP;unicast;client_port=5000-5001' }
    expect(await client.ask('SETUP', `${started.url}/trackID=0`, udp)).toMatch(/ 461 /)
    expect(await client.ask('PLAY', started.url)).toMatch(/ 455 /)
    expect(await client.ask('RECORD', started.url)).toMatch(/ 405 /)
  })

  test('knobs: connections drop, new ones are refused, unknown knobs too', async () => {
    const started = await camera({ controlPort: 0 })
    const client = await dial(started.url)
    await client.ask('OPTIONS', started.url)
    const turn = (body: string) => fetch(`${started.controlUrl}/knob`, { method: 'POST', body })
    const closed = once(client.socket, 'close')
    expect((await turn('{"refuse":true,"drop":true}')).status).toBe(200)
    await closed
    const late = connect(Number(new URL(started.url).port), '127.0.0.1')
    late.on('error', (error) => expect(error).toMatchObject({ code: 'ECONNRESET' }))
    await new Promise((resolve) => late.once('close', resolve))
    expect((await turn('{"colour":"red"}')).status).toBe(400)
    expect((await turn('{"hang":"yes"}')).status).toBe(400)
  })

  test('a client that falls silent loses its session', async () => {
    const started = await camera({ timeoutSeconds: 1 })
    const client = await dial(started.url)
    expect(await client.ask('OPTIONS', started.url)).toMatch(/Public: .*GET_PARAMETER/)
    await once(client.socket, 'close')
    await expect.poll(() => started.clients.connected).toBe(0)
  })

  test('other keyframe intervals and bitrates are encoded on demand', async () => {
    const small = fileURLToPath(new URL('../../sim/scene/sub.mp4', import.meta.url))
    const file = await encodeAgain(small, { gop: 5, bitrate: 300_000 })
    const { samples, seconds } = readMp4(await readFile(file))
    expect(samples).toHaveLength(400)
    expect(samples.every(({ keyframe }, index) => keyframe === (index % 5 === 0))).toBe(true)
    const bytes = samples.flatMap(({ nals }) => nals).reduce((sum, nal) => sum + nal.length, 0)
    expect((bytes * 8) / seconds / 300_000).toBeGreaterThan(0.85)
    expect((bytes * 8) / seconds / 300_000).toBeLessThan(1.15)
    expect(await encodeAgain(small, { gop: 5, bitrate: 300_000 })).toBe(file)
    expect(await decodeBarcodes(file)).toEqual(samples.map((_, index) => Math.floor(index * 2.5)))
  })

  test('any MP4 can be served; its log counts samples', async () => {
    const file = fileURLToPath(new URL('../../sim/scene/sub.mp4', import.meta.url))
    const started = await camera({ file, audio: false })
    expect(started).toMatchObject({ frameCount: 400, seconds: 40, fps: 10 })
    const { video, audio, errors } = await decode(await take(started.url, 1, 'tcp'))
    expect(errors).toEqual([])
    expect(audio).toEqual([])
    expect(video.length).toBeGreaterThan(5)
    expect(
      started
        .frames()
        .slice(0, 5)
        .map(({ index }) => index),
    ).toEqual([0, 1, 2, 3, 4])
  })
})
