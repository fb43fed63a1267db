import { asPorchlightError, type ErrorCode, PorchlightError } from '@porchlight/proto/errors.ts'
import type { AccessUnit, AudioFormat, AudioFrame } from '@porchlight/proto/media/access-unit.ts'
import type { Kysely } from 'kysely'
import type { Schema } from '../store/schema.ts'
import type { Disk } from './disk.ts'
import { audioSpans } from './encode-part.ts'
import { FileSession, type RecordingKind, type WrittenPart } from './file-session.ts'
import type { CameraLedger, RunLedger } from './ledger.ts'
import type { Mender } from './mender.ts'
import { type Part, PartBuilder } from './part-builder.ts'
import type { PartRows } from './part-rows.ts'
import { type LostFrames, RunGate } from './run-gate.ts'
import { Spans } from './spans.ts'
import { aheadMs, backMs, SteadyTimes } from './steady-times.ts'
import { type StreamConfig, streamConfig } from './stream-config.ts'

export interface IntakeOptions {
  disk: Disk
  db: Kysely<Schema>
  /** Of all cameras. */
  partRows: PartRows
  camera: string
  kind: RecordingKind
  ledger: CameraLedger
  /** Puts frames that fill a hole together with what is around it, where their times are interleaved. */
  mender: Mender
  now: () => number
  /** Why nothing may be written just now. */
  refusal(): ErrorCode | undefined
  onWritten(written: WrittenPart): void
  /** Frames that came are not recorded. */
  onFailed(error: PorchlightError, frames: LostFrames | undefined): void
}

/**
 * What comes from one side (live, or one delivery of footage) on its way into files: each frame once, cut into parts,
 * under the configuration that its keyframe brought.
 */
export class Intake {
  readonly #options: IntakeOptions
  readonly #builder = new PartBuilder((part) => this.#emit(part))
  readonly #gate: RunGate
  #times = new SteadyTimes()
  readonly #session: FileSession
  readonly #pending = new Set<Promise<void>>()
  #ledger: RunLedger | undefined
  #audio: AudioFormat | undefined
  #config: StreamConfig | undefined
  #unplayable = false
  #duplicates = 0
  #known: { run: string; frames: Spans } | undefined
  #endMs: number | undefined
  /** The next part begins one. */
  #newFile = false

  constructor(options: IntakeOptions) {
    this.#options = options
    this.#session = new FileSession(options)
    this.#gate = new RunGate({
      load: (run) => options.ledger.load(run),
      onBegin: (run, ledger) => this.#begin(run, ledger),
      onLeave: () => this.#leave(),
      onLost: (error, frames) => options.onFailed(error, frames),
      track: (work) => this.#track(work),
    })
  }

  /** Frames of the run that came last which were recorded already, or were on their way to the disk. */
  get known(): { run: string; frames: Spans } | undefined {
    return this.#known
  }

  /** Frames that were recorded already. */
  get duplicates(): number {
    return this.#duplicates
  }

  /** What comes has to wait until it is known what of its run is recorded. */
  get waiting(): boolean {
    return this.#gate.waiting
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
    this.#gate.enter(run)
    this.#gate.inOrder(() => {
      this.#audio = audio
    })
  }

  unit(unit: AccessUnit): void {
    this.#gate.unit(unit, this.#take)
  }

  audioFrame(frame: AudioFrame): void {
    this.#gate.inOrder(() => this.#builder.audioFrame(this.#times.audioFrame(frame)))
  }

  /** Writes what is open: nothing more comes, or not for a while. */
  flush(): void {
    this.#gate.inOrder(() => {
      this.#builder.flush()
      this.#gate.tellLost()
    })
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
    await this.#endFile()
  }

  async #endFile(): Promise<void> {
    try {
      await this.#session.end()
    } catch (error) {
      this.#options.onFailed(asPorchlightError(error, 'disk_failed'), undefined)
    }
  }

  #begin(run: string, ledger: RunLedger): void {
    this.#builder.run(run)
    this.#known = { run, frames: new Spans(1) }
    this.#times = new SteadyTimes()
    this.#ledger = ledger
    this.#config = undefined
  }

  #leave(): void {
    this.#builder.flush()
    this.#ledger = undefined
  }

  readonly #take = (raw: AccessUnit): void => {
    const ledger = this.#ledger
    if (ledger === undefined) return
    if (this.#times.isSetBack(raw)) this.#setBack(raw.captureMs, ledger)
    const unit = this.#times.unit(raw)
    const config = unit.keyframe ? this.#configOf(unit) : this.#config
    if (unit.keyframe && config === undefined) return
    if (this.#unplayable && !unit.keyframe) return
    if (ledger.video.has(unit.frame)) {
      this.#duplicates += 1
      this.#known?.frames.add(unit.frame, unit.frame)
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

  /** The clock was set back: sound of the hours that come again is not what was recorded in them. */
  #setBack(toMs: number, ledger: RunLedger): void {
    this.#builder.setBack(toMs)
    this.#newFile = true
    ledger.audio.remove(toMs - backMs, (this.#times.newestMs ?? toMs) + backMs)
  }

  #emit(part: Part): void {
    const ledger = this.#ledger
    if (ledger === undefined) return
    const endMs = this.#endMs ?? part.startMs
    this.#endMs = part.endMs
    // a file's timeline has no place for a step of the clock
    const ahead = part.units[0]!.keyframe && part.startMs > endMs + aheadMs
    if (this.#newFile || ahead || part.startMs < endMs - backMs) this.#track(this.#endFile())
    this.#newFile = false
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
    const from = part.units[0]!.frame
    const to = part.units.at(-1)!.frame
    try {
      const refused = refusal()
      if (refused !== undefined) throw new PorchlightError(refused)
      const config = known ?? (await mender.configAround(part))
      if (config === undefined) throw new PorchlightError('footage_invalid', 'it does not begin with a keyframe')
      const fitting = known || sameSound(config.audio, part) ? part : { ...part, audio: [] }
      const mended = kind === 'footage' ? await mender.mend(fitting, config) : undefined
      const whole = mended?.part ?? fitting
      const written = await this.#session.add(whole, config, mended?.generation ?? 0)
      ledger.durable.add(from, to)
      onWritten(written)
    } catch (error) {
      ledger.video.remove(from, to)
      for (const [fromMs, toMs] of audioSpans(part.audio)) ledger.audio.remove(fromMs, toMs)
      onFailed(asPorchlightError(error, 'disk_failed'), { run: part.run, from, to })
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
