import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readBarcode } from './barcode.ts'
import { findProgram } from './find-program.ts'

/** Where the tests' ffmpeg is; throws where there is none. */
export const ffmpegPath = (): string => findProgram('FFMPEG_PATH', 'ffmpeg')
export const ffprobePath = (): string => findProgram('FFPROBE_PATH', 'ffprobe')

interface Output {
  code: number
  stdout: Buffer
  stderr: string
}

async function run(program: string, args: readonly string[]): Promise<Output> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  const out: Buffer[] = []
  const err: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk))
  const [code] = (await once(child, 'close')) as [number | null]
  return { code: code ?? -1, stdout: Buffer.concat(out), stderr: Buffer.concat(err).toString() }
}

async function ffmpeg(args: readonly string[]): Promise<Buffer> {
  const { code, stdout, stderr } = await run(ffmpegPath(), ['-v', 'error', '-nostdin', '-xerror', ...args])
  if (code !== 0) throw new Error(`ffmpeg ended with ${code}: ${stderr}`)
  return stdout
}

export interface DecodedFrame {
  /** Presentation time in seconds. */
  seconds: number
  durationSeconds: number
}

export interface Decoded {
  /** Decoded pictures, in order. */
  video: DecodedFrame[]
  /** Decoded audio frames, in order. */
  audio: DecodedFrame[]
  /** What ffmpeg complained of, a line each; empty where everything decoded. */
  errors: string[]
}

/** Decodes a whole file (or URL) with `-xerror`: what came out, and whether anything was wrong with it. */
export async function decode(path: string, inputOptions: readonly string[] = []): Promise<Decoded> {
  const args = ['-v', 'error', '-nostdin', '-xerror', ...inputOptions, '-i', path, '-map', '0:v?', '-map', '0:a?']
  const { code, stdout, stderr } = await run(ffmpegPath(), [...args, '-fps_mode', 'passthrough', '-f', 'framecrc', '-'])
  const result: Decoded = { video: [], audio: [], errors: stderr.split('\n').filter((line) => line.trim() !== '') }
  const bases = new Map<string, number>()
  const kinds = new Map<string, 'video' | 'audio'>()
  for (const line of stdout.toString('latin1').split('\n')) {
    const base = /^#tb (\d+): (\d+)\/(\d+)/.exec(line)
    if (base) bases.set(base[1]!, Number(base[2]) / Number(base[3]))
    const kind = /^#media_type (\d+): (video|audio)/.exec(line)
    if (kind) kinds.set(kind[1]!, kind[2] as 'video' | 'audio')
    const frame = /^(\d+),\s*-?\d+,\s*(-?\d+),\s*(\d+),/.exec(line)
    if (!frame) continue
    const unit = bases.get(frame[1]!) ?? 1
    const list = kinds.get(frame[1]!)
    if (list) result[list].push({ seconds: Number(frame[2]) * unit, durationSeconds: Number(frame[3]) * unit })
  }
  if (code !== 0 && result.errors.length === 0) {
    const { video, audio } = result
    result.errors.push(`ffmpeg ended with ${code} after ${video.length} pictures and ${audio.length} frames of sound`)
  }
  return result
}

/** The bar code of every picture of a file, in order of presentation; undefined where it cannot be read. */
export async function decodeBarcodes(
  path: string,
  inputOptions: readonly string[] = [],
): Promise<(number | undefined)[]> {
  const [width, height] = [320, 180]
  const filter = `scale=${width}:${height}:flags=area,format=gray`
  const raw = await ffmpeg([
    ...[...inputOptions, '-i', path, '-map', '0:v:0', '-fps_mode', 'passthrough'],
    ...['-vf', filter, '-f', 'rawvideo', '-'],
  ])
  const size = width * height
  return Array.from({ length: Math.floor(raw.length / size) }, (_, index) =>
    readBarcode({ width, height, data: raw.subarray(index * size, (index + 1) * size) }),
  )
}

/** The sound of a file as mono PCM. */
export async function decodeAudio(path: string, sampleRate = 48_000): Promise<Int16Array> {
  const raw = await ffmpeg(['-i', path, '-map', '0:a:0', '-ac', '1', '-ar', String(sampleRate), '-f', 's16le', '-'])
  return new Int16Array(raw.buffer.slice(raw.byteOffset, raw.byteOffset + (raw.length & ~1)))
}

/** Every picture of a file as the decoder gives it: when it is shown, in seconds, and its width. */
export async function pictures(path: string): Promise<{ seconds: number; width: number }[]> {
  const args = ['-v', 'error', '-of', 'json', '-select_streams', 'v', '-show_entries', 'frame=pts_time,width', path]
  const { code, stdout, stderr } = await run(ffprobePath(), args)
  if (code !== 0 || stderr !== '') throw new Error(`ffprobe ended with ${code}: ${stderr}`)
  const { frames } = JSON.parse(stdout.toString()) as { frames: { pts_time: string; width: number }[] }
  return frames.map(({ pts_time: seconds, width }) => ({ seconds: Number(seconds), width }))
}

export interface ProbedStream {
  codec_type: string
  codec_name: string
  profile?: string
  width?: number
  height?: number
  has_b_frames?: number
  start_time?: string
  duration?: string
  [more: string]: unknown
}

/** What ffprobe says of a file's streams and of the whole. */
export async function probe(path: string): Promise<{ streams: ProbedStream[]; format: Record<string, unknown> }> {
  const args = ['-v', 'error', '-of', 'json', '-show_streams', '-show_format', path]
  const { code, stdout, stderr } = await run(ffprobePath(), args)
  if (code !== 0) throw new Error(`ffprobe ended with ${code}: ${stderr}`)
  return JSON.parse(stdout.toString())
}
