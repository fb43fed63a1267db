import { type ChildProcessByStdio, spawn } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'
import type { AudioFormat, AudioFrame } from '@porchlight/proto/media/access-unit.ts'
import type { Logger } from 'pino'
import { OggPackets } from './ogg-packets.ts'

/** ffmpeg reads so many samples at a time: to write fewer would wake it, and us, for nothing. */
const readSamples = 1_024
/** What ffmpeg keeps, and what the encoder looks ahead. */
const keptSeconds = 0.3
const opusRate = 48_000
/** 20 ms. */
const opusSamples = 960
/** libopus' look-ahead, which stands in front of the first sample. */
const preSkip = 312
/** Bytes that may wait for ffmpeg before sound is dropped. */
const maxWaitingBytes = 1024 * 1024
/** Frames whose times are kept until their sound has come out. */
const maxAnchors = 2_000
/** The longest that a busy machine may take for what waits. */
const killAfterMs = 30_000

/** Where a frame's first sample stands in the row of all samples that went in, in seconds. */
interface Anchor {
  atSeconds: number
  captureMs: number
}

/** Makes Opus of a camera's G.711 or AAC, so that a browser plays the sound of a recording: one ffmpeg child. */
export class OpusTranscoder {
  readonly #input: AudioFormat
  readonly #emit: (frame: AudioFrame) => void
  readonly #child: ChildProcessByStdio<Writable, Readable, null>
  readonly #ogg = new OggPackets()
  readonly #ended: Promise<void>
  readonly #anchors: Anchor[] = []
  #fedSeconds = 0
  /** Not yet written to ffmpeg. */
  #gathered: Uint8Array[] = []
  #gatheredSamples = 0
  #packets = 0
  #failed = false

  /** The format that comes out for what goes in. */
  static output(input: AudioFormat): AudioFormat {
    return { codec: 'opus', clockRate: opusRate, channels: Math.min(input.channels, 2) }
  }

  /** @param emit gets the Opus packets with the capture times of the sound in them */
  constructor(ffmpeg: string, input: AudioFormat, emit: (frame: AudioFrame) => void, log: Pick<Logger, 'warn'>) {
    this.#input = input
    this.#emit = emit
    this.#child = spawn(ffmpeg, ffmpegArguments(input), { stdio: ['pipe', 'pipe', 'ignore'] })
    this.#child.stdout.on('data', (chunk: Buffer) => this.#read(chunk))
    // a child that dies is seen at `close`
    this.#child.stdin.on('error', () => {
      this.#failed = true
    })
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#child.on('error', (error) => {
      this.#failed = true
      log.warn({ err: error, code: 'ffmpeg_failed' }, 'the sound of a recording cannot be converted')
      resolve()
    })
    this.#child.on('close', (code) => {
      if (code !== 0) log.warn({ code: 'ffmpeg_failed', exit: code }, 'converting sound has ended')
      this.#failed = true
      resolve()
    })
    this.#ended = promise
  }

  /** False where the child is gone: who goes on needs another. */
  get alive(): boolean {
    return !this.#failed
  }

  /** Whether sound is inside that will come out by itself (the last of it comes at `end`). */
  get behind(): boolean {
    const outSeconds = Math.max(0, this.#packets - 2) * (opusSamples / opusRate)
    return !this.#failed && this.#fedSeconds - outSeconds > keptSeconds
  }

  /** Whether frames of this format may go in. */
  takes(format: AudioFormat): boolean {
    const { codec, clockRate, channels } = this.#input
    return format.codec === codec && format.clockRate === clockRate && format.channels === channels
  }

  push(frame: AudioFrame): void {
    if (this.#failed || this.#child.stdin.writableLength > maxWaitingBytes) return
    this.#anchors.push({ atSeconds: this.#fedSeconds, captureMs: frame.captureMs })
    if (this.#anchors.length > maxAnchors) this.#anchors.shift()
    this.#fedSeconds += frame.samples / frame.clockRate
    if (frame.codec === 'aac') this.#gathered.push(adtsHeader(this.#input, frame.data.byteLength))
    this.#gathered.push(frame.data)
    this.#gatheredSamples += frame.samples
    if (this.#gatheredSamples >= readSamples) this.#write()
  }

  #write(): void {
    this.#child.stdin.write(Buffer.concat(this.#gathered))
    this.#gathered = []
    this.#gatheredSamples = 0
  }

  /** Resolves when there is room for more, or the child is gone. */
  async drained(): Promise<void> {
    if (this.#failed || !this.#child.stdin.writableNeedDrain) return
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#child.stdin.once('drain', resolve)
    this.#child.stdin.once('close', resolve)
    await promise
  }

  /** Ends the child after what it still has to say. Idempotent. */
  async end(): Promise<void> {
    if (this.#gathered.length > 0 && !this.#failed) this.#write()
    this.#child.stdin.end()
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), killAfterMs)
    await this.#ended
    clearTimeout(timer)
  }

  #read(chunk: Uint8Array): void {
    for (const data of this.#ogg.push(chunk)) {
      const index = this.#packets++ - 2 // OpusHead and OpusTags come first (RFC 7845 §3)
      if (index < 0) continue
      const atSeconds = (index * opusSamples - preSkip) / opusRate
      const { channels } = OpusTranscoder.output(this.#input)
      const captureMs = this.#captureTime(atSeconds)
      if (captureMs === undefined) continue
      const timing = { captureMs, clockRate: opusRate, channels, samples: opusSamples }
      this.#emit({ codec: 'opus', frame: index, ...timing, data })
    }
  }

  #captureTime(atSeconds: number): number | undefined {
    while (this.#anchors[1] && this.#anchors[1].atSeconds <= atSeconds) this.#anchors.shift()
    const anchor = this.#anchors[0]
    return anchor && anchor.captureMs + (atSeconds - anchor.atSeconds) * 1_000
  }
}

function ffmpegArguments({ codec, clockRate, channels }: AudioFormat): string[] {
  const raw = ['-ar', String(clockRate), '-ac', String(channels)]
  const input = codec === 'pcmu' ? ['mulaw', ...raw] : codec === 'pcma' ? ['alaw', ...raw] : ['aac']
  return [
    ...['-hide_banner', '-loglevel', 'quiet', '-nostdin'],
    ...['-probesize', '512', '-analyzeduration', '0', '-fflags', 'nobuffer', '-f', ...input, '-i', 'pipe:0'],
    ...['-c:a', 'libopus', '-b:a', channels > 1 ? '64k' : '32k', '-frame_duration', '20', '-vbr', 'on'],
    ...['-ac', String(Math.min(channels, 2)), '-f', 'ogg', '-page_duration', '20000', '-flush_packets', '1', 'pipe:1'],
  ]
}

const samplingRates = [
  96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350,
]

/** ADTS (ISO/IEC 14496-3 §1.A.2.2) with the object type of the AudioSpecificConfig, AAC-LC where there is none. */
function adtsHeader({ clockRate, channels, config }: AudioFormat, bytes: number): Uint8Array {
  // ADTS has two bits for it; what HE-AAC adds is signalled inside the stream
  const signalled = config?.[0] === undefined ? 2 : config[0] >> 3
  const objectType = signalled >= 1 && signalled <= 4 ? signalled : 2
  const rate = Math.max(0, samplingRates.indexOf(clockRate))
  const length = bytes + 7
  return Uint8Array.of(
    0xff,
    0xf1,
    ((objectType - 1) << 6) | (rate << 2) | (channels >> 2),
    ((channels & 3) << 6) | (length >> 11),
    (length >> 3) & 0xff,
    ((length & 7) << 5) | 0x1f,
    0xfc,
  )
}
