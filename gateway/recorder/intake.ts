import { asPorchlightError, type ErrorCode, PorchlightError } from '@porchlight/proto/errors.ts'
import type { AccessUnit, AudioFormat, AudioFrame } from '@porchlight/proto/media/access-unit.ts'
import type { Kysely } from 'kysely'
import type { Schema } from '../store/schema.ts'
import type { Disk } from './disk.ts'
import { audioSpans } from './encode-part.ts'
import { FileSession, type WrittenPart } from './file-session.ts'
import type { CameraLedger, RunLedger } from './ledger.ts'
import type { Mender } from './mender.ts'
import { type Part, PartBuilder } from './part-builder.ts'
import type { PartRows } from './part-rows.ts'
import { type StreamConfig, streamConfig } from './stream-config.ts'

/** Frames that may wait for the ledger of their run. */
const maxEarly = 4_096

export interface IntakeOptions {
  disk: Disk
  db: Kysely<Schema>
  /** Of all cameras. */
  partRows: PartRows
  camera: string
  kind: 'live' | 'footage'
  ledger: CameraLedger
  /** Puts frames that fill a hole together with what is around it, where their times are interleaved. */
  mender: Mender
  now: () => number
  /** Why nothing may be written just now. */
  refusal(): ErrorCode | undefined
  onWritten(written: WrittenPart): void
  /** The frames of `part` are not recorded. */
  onFailed(error: PorchlightError, part: Part | undefined): void
}

/**
 * What comes from one side (live, or one delivery of footage) on its way into files: each frame once, cut into parts,
 * under the configuration that its keyframe brought.
 */
export class Intake {
  readonly #options: IntakeOptions
  readonly #builder = new PartBuilder((part) => this.#emit(part))
  readonly #session: FileSession
  readonly #pending = new Set<Promise<void>>()
  #early: (() => void)[] | undefined
  #run = ''
  #ledger: RunLedger | undefined
  #audio: AudioFormat | undefined
  #config: StreamConfig | undefined
  #unplayable = false
  #duplicates = 0

  constructor(options: IntakeOptions) {
    this.#options = options
    this.#session = new FileSession(options)
  }

  /** Frames that were recorded already. */
  get duplicates(): number {
    return this.#duplicates
  }

  /** Parts on their way to the disk. */
  get pending(): number {
    return this.#pending.size
  }

  /** Capture time of the first picture that waits for its part to be whole. */
  get openSinceMs(): number | undefined {
    return this.#builder.openSinceMs
  }

  /** @param audio as the frames will come, after a conversion */
  format(run: string, audio: AudioFormat | undefined): void {
    this.#inOrder(() => {
      this.#audio = audio
    })
    if (run === this.#run) return
    this.#run = run
    this.#early ??= []
    const loading = this.#options.ledger.load(run).then(
      (ledger) => this.#begin(run, ledger),
      (error: unknown) => this.#cannotBegin(run, error),
    )
    this.#track(loading)
  }

  unit(unit: AccessUnit): void {
    this.#inOrder(() => this.#unit(unit))
  }

  audioFrame(frame: AudioFrame): void {
    this.#inOrder(() => this.#builder.audioFrame(frame))
  }

  /** Writes what is open: nothing more comes, or not for a while. */
  flush(): void {
    this.#inOrder(() => this.#builder.flush())
  }

  /** Resolves when everything so far is written, or has failed. */
  async settled(): Promise<void> {
    while (this.#pending.size > 0) await Promise.all(this.#pending)
  }

  /** Flushes, waits, and ends the file; more may come afterwards. Failures are told to `onFailed`. */
  async end(): Promise<void> {
    this.flush()
    await this.settled()
    this.flush()
    await this.settled()
    try {
      await this.#session.end()
    } catch (error) {
      this.#options.onFailed(asPorchlightError(error, 'disk_failed'), undefined)
    }
  }

  #begin(run: string, ledger: RunLedger): void {
    if (run !== this.#run) return
    const early = this.#early ?? []
    this.#early = undefined
    this.#builder.run(run)
    this.#ledger = ledger
    this.#config = undefined
    for (const step of early) step()
  }

  #cannotBegin(run: string, error: unknown): void {
    if (run !== this.#run) return
    this.#run = ''
    this.#early = undefined
    this.#ledger = undefined
    this.#options.onFailed(asPorchlightError(error, 'index_failed'), undefined)
  }

  #inOrder(step: () => void): void {
    if (this.#early === undefined) step()
    else if (this.#early.length < maxEarly) this.#early.push(step)
  }

  #unit(unit: AccessUnit): void {
    const ledger = this.#ledger
    if (ledger === undefined) return
    const config = unit.keyframe ? this.#configOf(unit) : this.#config
    if (unit.keyframe && config === undefined) return
    if (this.#unplayable && !unit.keyframe) return
    if (ledger.video.has(unit.frame)) {
      this.#duplicates += 1
      // what is open must not take this keyframe's configuration
      if (unit.keyframe) this.#builder.flush()
    } else {
      ledger.video.add(unit.frame, unit.frame)
      this.#builder.unit(unit)
    }
    this.#config = config
  }

  #configOf(keyframe: AccessUnit): StreamConfig | undefined {
    const config = streamConfig(keyframe, this.#audio)
    const unplayable = config === undefined
    if (unplayable && !this.#unplayable) {
      this.#builder.flush()
      this.#options.onFailed(new PorchlightError('recording_codec', keyframe.codec), undefined)
    }
    this.#unplayable = unplayable
    return config
  }

  #emit(part: Part): void {
    const ledger = this.#ledger
    if (ledger === undefined) return
    const config = this.#config
    const known = config && !sameSound(config.audio, part) ? [] : part.audio
    const audio = known.filter((frame) => {
      return !ledger.audio.has(frame.captureMs + (frame.samples * 500) / frame.clockRate)
    })
    for (const [from, to] of audioSpans(audio)) ledger.audio.add(from, to)
    this.#track(this.#write({ ...part, audio }, config, ledger))
  }

  async #write(part: Part, known: StreamConfig | undefined, ledger: RunLedger): Promise<void> {
    const { mender, onWritten, onFailed, refusal, kind } = this.#options
    try {
      const refused = refusal()
      if (refused !== undefined) throw new PorchlightError(refused)
      const config = known ?? (await mender.configAround(part))
      if (config === undefined) throw new PorchlightError('footage_invalid', 'it does not begin with a keyframe')
      const fitting = known || sameSound(config.audio, part) ? part : { ...part, audio: [] }
      const mended = kind === 'footage' ? await mender.mend(fitting, config) : undefined
      const whole = mended?.part ?? fitting
      onWritten(await this.#session.add(whole, config, mended?.generation ?? 0))
    } catch (error) {
      ledger.video.remove(part.units[0]!.frame, part.units.at(-1)!.frame)
      for (const [from, to] of audioSpans(part.audio)) ledger.audio.remove(from, to)
      onFailed(asPorchlightError(error, 'disk_failed'), part)
    }
  }

  #track(work: Promise<void>): void {
    this.#pending.add(work)
    work.finally(() => this.#pending.delete(work))
  }
}

/** Whether the part's sound is of the kind that the configuration speaks of. */
function sameSound(format: AudioFormat | undefined, part: Part): boolean {
  const first = part.audio[0]
  if (first === undefined) return true
  if (format === undefined) return false
  return first.codec === format.codec && first.clockRate === format.clockRate && first.channels === format.channels
}
