import { Counter, type Registry } from 'prom-client'

/** Prometheus figures of what recordings lack. */
export class RecordingMetrics {
  readonly #gaps
  readonly #gapFrames
  readonly #filled
  readonly #prerollMissing

  constructor(registry: Registry) {
    const counter = <L extends string>(name: string, help: string, labelNames: L[] = []) =>
      new Counter({ name: `porchlight_${name}_total`, help, labelNames, registers: [registry] })
    this.#gaps = counter('recording_gaps', 'Gaps in recordings, by reason', ['reason'])
    this.#gapFrames = counter(
      'recording_gap_frames',
      'Pictures that were to be recorded and will not come, by reason',
      ['reason'],
    )
    this.#filled = counter('recording_gap_frames_filled', 'Pictures of gaps that came after all')
    this.#prerollMissing = counter('preroll_missing', 'Events with less pre-roll than was asked for')
  }

  /** So many pictures of one gap. */
  gap(reason: string, frames: number): void {
    this.#gaps.inc({ reason })
    this.#gapFrames.inc({ reason }, frames)
  }

  /** So many pictures of gaps. */
  filled(frames: number): void {
    this.#filled.inc(frames)
  }

  /** Of one event. */
  prerollMissing(): void {
    this.#prerollMissing.inc()
  }
}
