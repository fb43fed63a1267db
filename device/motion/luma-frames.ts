import type { PorchlightError } from '@porchlight/proto/errors.ts'
import type { AccessUnit, VideoFormat } from '@porchlight/proto/media/access-unit.ts'
import type { Logger } from 'pino'
import { matroskaHeader, matroskaUnit } from '../ffmpeg/matroska-writer.ts'
import { SupervisedChild } from '../ffmpeg/supervised-child.ts'
import type { LumaFrame } from './motion-model.ts'

/** Frames a second and width in pixels that are looked at. */
export const lumaDefaults = { rate: 5, width: 160, maxQueuedBytes: 2 * 1024 * 1024, maxPending: 64 } as const
/** A time that goes back or leaps farther than this begins anew, ms. */
const leapMs = 30_000

export interface LumaFramesOptions {
  ffmpeg: { path: string }
  log: Logger
  onFrame: (frame: LumaFrame) => void
  /** ffmpeg ended by itself; it is started again. */
  onFailure?: (error: PorchlightError) => void
  random?: () => number
}

/**
 * Small grey pictures of a stream, a few a second, from one ffmpeg child. Access units go in as Matroska with their
 * capture times, and every picture comes out with its own: pixels on standard output, times (framecrc lines) on fd 3.
 */
export class LumaFrames implements AsyncDisposable {
  readonly #options: LumaFramesOptions
  #child: SupervisedChild | undefined
  #format: VideoFormat | undefined
  #fed: 'nothing' | 'header' | 'units' = 'nothing'
  #baseMs = 0
  #lastMs = 0
  /** A piece was refused: nothing decodes before the next keyframe. */
  #broken = false
  #pixels: Buffer[] = []
  #pixelBytes = 0
  #lines = ''
  #times: number[] = []
  #size = { width: 0, height: 0 }
  #tickMs = 1
  #closing: Promise<void> | undefined

  constructor(options: LumaFramesOptions) {
    this.#options = options
  }

  /** Pid of the running ffmpeg. */
  get pid(): number | undefined {
    return this.#child?.pid
  }

  /** Begins, or begins anew where codec or size changed. */
  format(format: VideoFormat | undefined): void {
    if (this.#closing !== undefined || format === undefined) return
    const before = this.#format
    const same = before?.codec === format.codec && before.width === format.width && before.height === format.height
    this.#format = format
    if (this.#child === undefined) this.#child = this.#start()
    else if (!same) this.#restart()
  }

  /**
   * One access unit, in decoding order. Pictures nobody refers to are left out: they cost and show little.
   * @returns whether ffmpeg got it
   */
  accessUnit(unit: AccessUnit): boolean {
    if (this.#child === undefined || this.#format === undefined || !unit.reference) return false
    if (this.#fed === 'units' && Math.abs(unit.captureMs - this.#lastMs) > leapMs) {
      this.#restart()
    }
    if (this.#fed !== 'units') {
      if (!unit.keyframe || this.#fed === 'nothing') return false
      this.#baseMs = unit.captureMs
      this.#fed = 'units'
    }
    this.#lastMs = unit.captureMs
    const timeMs = Math.max(0, Math.round(unit.captureMs - this.#baseMs))
    // Where ffmpeg falls behind, what follows the hole cannot be decoded before the next keyframe.
    if (this.#broken && !unit.keyframe) return false
    this.#broken = !this.#child.write(matroskaUnit(unit, timeMs))
    return !this.#broken
  }

  /** Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#child?.close() ?? Promise.resolve()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #start(): SupervisedChild {
    const { ffmpeg, log, random, onFailure } = this.#options
    const { rate, width, maxQueuedBytes } = lumaDefaults
    // A little less than the interval, so that jitter does not halve the rate.
    const select = `select='isnan(prev_selected_t)+gte(t-prev_selected_t,${(0.95 / rate).toFixed(3)})'`
    const input = ['-analyzeduration', '0', '-probesize', '32', '-threads', '1', '-flags', 'low_delay']
    const filter = `${select},scale=${width}:-2:flags=fast_bilinear,format=gray`
    const output = ['-map', '0:v:0', '-copyts', '-fps_mode', 'passthrough', '-enc_time_base', '1:1000', '-vf', filter]
    const tee = ['-c:v', 'rawvideo', '-flush_packets', '1', '-f', 'tee', '[f=rawvideo]pipe:1|[f=framecrc]pipe:3']
    return new SupervisedChild({
      command: ffmpeg.path,
      args: [
        '-hide_banner',
        '-v',
        'warning',
        '-nostdin',
        ...input,
        '-f',
        'matroska',
        '-i',
        'pipe:0',
        ...output,
        ...tee,
      ],
      log,
      maxQueuedBytes,
      onStart: () => this.#begin(),
      onData: (chunk) => this.#pixelsCame(chunk),
      onSideData: (chunk) => this.#timesCame(chunk),
      ...(random ? { random } : {}),
      onFailure: (error) => {
        this.#fed = 'nothing'
        onFailure?.(error)
      },
    })
  }

  /** A fresh process; what comes meanwhile is not fed. */
  #restart(): void {
    this.#fed = 'nothing'
    this.#times = []
    this.#pixels = []
    this.#pixelBytes = 0
    this.#child?.restart()
  }

  #begin(): void {
    this.#pixels = []
    this.#pixelBytes = 0
    this.#lines = ''
    this.#times = []
    this.#size = { width: 0, height: 0 }
    this.#broken = false
    this.#fed = 'nothing'
    if (this.#format !== undefined && this.#child?.write(matroskaHeader(this.#format))) this.#fed = 'header'
  }

  #pixelsCame(chunk: Buffer): void {
    this.#pixels.push(chunk)
    this.#pixelBytes += chunk.byteLength
    this.#match()
  }

  /** framecrc: `#tb 0: 1/1000`, `#dimensions 0: 160x90`, then `stream, dts, pts, duration, size, crc`. */
  #timesCame(chunk: Buffer): void {
    this.#lines += chunk.toString('latin1')
    const lines = this.#lines.split('\n')
    this.#lines = lines.pop() ?? ''
    for (const line of lines) {
      const size = /^#dimensions 0: (\d{1,5})x(\d{1,5})/.exec(line)
      const base = /^#tb 0: (\d+)\/(\d+)/.exec(line)
      if (size) this.#size = { width: Number(size[1]), height: Number(size[2]) }
      else if (base) this.#tickMs = (1000 * Number(base[1])) / Number(base[2])
      else if (!line.startsWith('#')) this.#times.push(this.#baseMs + Number(line.split(',')[2]) * this.#tickMs)
    }
    this.#match()
  }

  #match(): void {
    const { width, height } = this.#size
    const bytes = width * height
    while (bytes > 0 && this.#pixelBytes >= bytes && this.#times.length > 0) {
      const whole = this.#pixels.length === 1 ? this.#pixels[0]! : Buffer.concat(this.#pixels)
      this.#pixels = whole.byteLength > bytes ? [whole.subarray(bytes)] : []
      this.#pixelBytes -= bytes
      const captureMs = this.#times.shift()!
      if (Number.isFinite(captureMs)) {
        this.#options.onFrame({ width, height, data: whole.subarray(0, bytes), captureMs })
      }
    }
    // One of the two pipes runs ahead without end: the pairing is lost.
    const pending = bytes > 0 ? this.#pixelBytes / bytes : 0
    if (pending > lumaDefaults.maxPending || this.#times.length > lumaDefaults.maxPending) this.#restart()
  }
}
