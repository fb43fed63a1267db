import { execFileSync } from 'node:child_process'
import { pino } from 'pino'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { type Ffmpeg, findFfmpeg } from '../../../../device/ffmpeg/find-ffmpeg.ts'
import { OggReader } from '../../../../device/ffmpeg/ogg-opus.ts'
import { OpusPlayer } from '../../../../device/speaker/talk-player.ts'
import { AacToOpus } from '../../../../device/webrtc/live-audio.ts'
import { dominantTone } from '../../../support/tone.ts'

const log = pino({ level: 'silent' })
const ffmpeg = await findFfmpeg(process.env).catch((error: unknown): Ffmpeg | undefined => {
  if (error instanceof Error) return undefined
  throw error
})

/** A tone as ffmpeg codes it. */
function tone(...args: string[]): Buffer {
  const source = ['-f', 'lavfi', '-i', 'sine=frequency=660:sample_rate=48000:duration=2']
  return execFileSync(ffmpeg!.path, ['-v', 'error', ...source, ...args, 'pipe:1'], { maxBuffer: 10_000_000 })
}

function opusPackets(): Uint8Array[] {
  const packets: Uint8Array[] = []
  new OggReader((packet) => packets.push(packet)).push(tone('-c:a', 'libopus', '-frame_duration', '20', '-f', 'ogg'))
  return packets.slice(2)
}

function toSamples(pieces: readonly Uint8Array[]): Int16Array {
  const bytes = Buffer.concat(pieces)
  return Int16Array.from({ length: bytes.length >> 1 }, (_, at) => bytes.readInt16LE(at * 2))
}

function player() {
  const pieces: Uint8Array[] = []
  const enough = Promise.withResolvers<void>()
  const output = {
    write: (pcm: Uint8Array) => {
      pieces.push(Uint8Array.from(pcm))
      if (pieces.reduce((sum, piece) => sum + piece.length, 0) > 96_000) enough.resolve()
    },
    close: async () => undefined,
    [Symbol.asyncDispose]: async () => undefined,
  }
  const opus = new OpusPlayer({ ffmpeg: ffmpeg!, log, output })
  onTestFinished(() => opus[Symbol.asyncDispose]())
  return { opus, pieces, enough: enough.promise }
}

describe.skipIf(ffmpeg === undefined)('sound through ffmpeg', () => {
  test('Opus talk is heard as it was said', async () => {
    const { opus, pieces, enough } = player()
    await vi.waitUntil(() => opus.ready, { timeout: 30_000, interval: 5 })
    for (const packet of opusPackets()) opus.send(packet)
    await enough
    expect(dominantTone(toSamples(pieces), 48_000)?.frequency).toBeCloseTo(660, -1)
  })

  test("a camera's AAC becomes Opus with its capture times", async () => {
    const adts = tone('-c:a', 'aac', '-ar', '16000', '-ac', '1', '-f', 'adts')
    const frames: { captureMs: number; samples: number; frame: number; data: Uint8Array }[] = []
    const enough = Promise.withResolvers<void>()
    const format = { codec: 'aac' as const, clockRate: 16_000, channels: 1, config: Uint8Array.of(0x14, 0x08) }
    const onFrame = (frame: (typeof frames)[number]) => {
      frames.push(frame)
      if (frames.length === 75) enough.resolve()
    }
    const live = new AacToOpus({ ffmpeg: ffmpeg!, log, format, onFrame })
    onTestFinished(() => live.close())
    await vi.waitUntil(() => live.ready, { timeout: 30_000, interval: 5 })
    let captureMs = 1_763_600_000_000
    for (let at = 0, frame = 0; at + 7 < adts.length; frame++) {
      const length = ((adts[at + 3]! & 3) << 11) | (adts[at + 4]! << 3) | (adts[at + 5]! >> 5)
      const data = adts.subarray(at + 7, at + length)
      live.push({ ...format, frame, captureMs, samples: 1_024, data })
      captureMs += 64
      at += length
    }
    await enough.promise
    expect(frames.map((frame) => frame.frame)).toEqual(frames.map((_, index) => index))
    expect(frames[0]!.captureMs).toBe(1_763_600_000_000)
    expect(frames[70]!.captureMs).toBeCloseTo(1_763_600_000_000 + 70 * 20, 0)
    const { opus, pieces, enough: heard } = player()
    await vi.waitUntil(() => opus.ready, { timeout: 30_000, interval: 5 })
    for (const frame of frames) opus.send(frame.data)
    await heard
    expect(dominantTone(toSamples(pieces), 48_000)?.frequency).toBeCloseTo(660, -1)
  })
})
