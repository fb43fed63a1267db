import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { AccessUnit, AudioFrame } from '@porchlight/proto/media/access-unit.ts'
import { isReference } from '@porchlight/proto/media/h264.ts'
import type { VideoCodec } from '@porchlight/proto/messages/cameras.ts'
import { OggPackets } from '../../gateway/recorder/ogg-packets.ts'
import { readMp4 } from '../sim/mp4-source.ts'
import { ffmpegPath } from './decode.ts'

const run = promisify(execFile)

export interface VideoSamples {
  codec?: VideoCodec
  seconds?: number
  framesPerSecond?: number
  /** Pictures from one keyframe to the next. */
  gop?: number
  bframes?: number
  size?: string
  /** Capture time of the first picture shown, ms. */
  startMs?: number
  /** Number of the first picture. */
  firstFrame?: number
}

const encoded = new Map<string, Promise<Uint8Array>>()

/** What ffmpeg makes with `args`; once in a test file. */
function encode(name: string, args: readonly string[]): Promise<Uint8Array> {
  const key = [name, ...args].join(' ')
  const known = encoded.get(key) ?? encodeNow(name, args)
  encoded.set(key, known)
  return known
}

async function encodeNow(name: string, args: readonly string[]): Promise<Uint8Array> {
  const folder = await mkdtemp(join(tmpdir(), 'porchlight-samples-'))
  try {
    const path = join(folder, name)
    await run(ffmpegPath(), ['-v', 'error', '-nostdin', ...args, path])
    return new Uint8Array(await readFile(path))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const encoders: Record<VideoCodec, readonly string[]> = {
  h264: ['-c:v', 'libx264', '-preset', 'ultrafast', '-sc_threshold', '0'],
  h265: ['-c:v', 'libx265', '-preset', 'ultrafast', '-tag:v', 'hvc1', '-x265-params', 'log-level=none:scenecut=0'],
  vp8: ['-c:v', 'libvpx', '-deadline', 'realtime', '-cpu-used', '8', '-auto-alt-ref', '0'],
  vp9: ['-c:v', 'libvpx-vp9', '-deadline', 'realtime', '-cpu-used', '8', '-auto-alt-ref', '0', '-lag-in-frames', '0'],
  av1: ['-c:v', 'libaom-av1', '-usage', 'realtime', '-cpu-used', '8', '-lag-in-frames', '0'],
}

/** Access units of a moving test picture, as a camera would send them. */
export async function videoUnits(options: VideoSamples = {}): Promise<AccessUnit[]> {
  const { codec = 'h264', seconds = 3, framesPerSecond = 25, gop = 25, bframes = 0, size = '320x240' } = options
  const { startMs = 1_700_000_000_000, firstFrame = 0 } = options
  const input = ['-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=${framesPerSecond}:duration=${seconds}`]
  const nal = codec === 'h264' || codec === 'h265'
  const groups = ['-g', String(gop), '-keyint_min', String(gop), ...(nal ? ['-bf', String(bframes)] : [])]
  const args = [...input, '-pix_fmt', 'yuv420p', ...encoders[codec], ...groups]
  if (!nal) {
    const frames = ivfFrames(await encode('samples.ivf', args))
    return frames.map((data, index) => ({
      codec,
      frame: firstFrame + index,
      captureMs: startMs + (index * 1_000) / framesPerSecond,
      keyframe: index % gop === 0,
      reference: true,
      data: [data],
    }))
  }
  const { samples } = readMp4(await encode('samples.mp4', args))
  const first = Math.min(...samples.map((sample) => sample.presentSeconds))
  return samples.map((sample, index) => ({
    codec,
    frame: firstFrame + index,
    captureMs: startMs + (sample.presentSeconds - first) * 1_000,
    keyframe: sample.keyframe,
    reference: codec === 'h265' || sample.nals.some((unit) => [1, 5].includes(unit[0]! & 0x1f) && isReference(unit)),
    data: sample.nals,
  }))
}

/** IVF: a file header of 32 bytes, then frames with 12 bytes ahead of each. */
function ivfFrames(bytes: Uint8Array): Uint8Array[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const frames: Uint8Array[] = []
  for (let at = 32; at + 12 <= bytes.byteLength; ) {
    const size = view.getUint32(at, true)
    frames.push(bytes.subarray(at + 12, at + 12 + size))
    at += 12 + size
  }
  return frames
}

const tone = (seconds: number) => ['-f', 'lavfi', '-i', `sine=frequency=440:duration=${seconds}`]

/** A tone of 440 Hz in packets, as a camera would send it. */
export async function audioFrames(
  codec: AudioFrame['codec'],
  { seconds = 3, startMs = 1_700_000_000_000 } = {},
): Promise<AudioFrame[]> {
  const frames = (packets: Uint8Array[], clockRate: number, samples: number, config?: Uint8Array) =>
    packets.map(
      (data, frame): AudioFrame => ({
        ...{ codec, frame, clockRate, samples, data, channels: 1 },
        captureMs: startMs + (frame * samples * 1_000) / clockRate,
        ...(config && { config }),
      }),
    )
  if (codec === 'opus') {
    const ogg = await encode('tone.ogg', [...tone(seconds), '-ac', '1', '-c:a', 'libopus', '-b:a', '32k'])
    return frames(new OggPackets().push(ogg).slice(2), 48_000, 960)
  }
  if (codec === 'aac') {
    const adts = await encode('tone.aac', [...tone(seconds), '-ac', '1', '-ar', '16000', '-c:a', 'aac', '-f', 'adts'])
    return frames(adtsPackets(adts), 16_000, 1_024, Uint8Array.of(0x14, 0x08))
  }
  const format = codec === 'pcmu' ? 'mulaw' : 'alaw'
  const raw = await encode('tone.raw', [...tone(seconds), '-ac', '1', '-ar', '8000', '-f', format])
  const packets = Array.from({ length: Math.floor(raw.byteLength / 160) }, (_, index) =>
    raw.subarray(index * 160, (index + 1) * 160),
  )
  return frames(packets, 8_000, 160)
}

function adtsPackets(bytes: Uint8Array): Uint8Array[] {
  const packets: Uint8Array[] = []
  for (let at = 0; at + 7 <= bytes.byteLength; ) {
    const length = ((bytes[at + 3]! & 3) << 11) | (bytes[at + 4]! << 3) | (bytes[at + 5]! >> 5)
    packets.push(bytes.subarray(at + 7, at + length))
    at += length
  }
  return packets
}
