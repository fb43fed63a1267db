import type { RecordingMode } from '@porchlight/proto/messages/recording-mode.ts'

/** How often a camera that does not come is asked again, ms. */
const askMs = 5_000

export interface ContinuousOptions {
  /** The cameras that there are. */
  cameras: {
    list(): { id: string; online: boolean }[]
    onForget(listener: (id: string) => void): () => void
  }
  modes: {
    now(camera: string): { mode: RecordingMode }
    onChange(listener: (camera: string, now: { mode: RecordingMode }) => void): () => void
  }
  recorder: { record(camera: string, mode: RecordingMode): void }
  /** Asks the camera's device for its stream, unless it comes. */
  want(camera: string): void
}

/** Has cameras recorded as their mode says, and sees to it that the devices send of those that are recorded all the time. */
export class ContinuousRecording implements Disposable {
  readonly #options: ContinuousOptions
  readonly #timer: NodeJS.Timeout
  readonly #stops: (() => void)[]

  constructor(options: ContinuousOptions) {
    const { cameras, modes, recorder } = options
    this.#options = options
    this.#stops = [
      modes.onChange((camera, { mode }) => {
        recorder.record(camera, mode)
        this.#ask()
      }),
      cameras.onForget((id) => recorder.record(id, 'events')),
    ]
    // Again each time: the question may have been lost, or its answer have failed.
    this.#timer = setInterval(() => this.#ask(), askMs)
  }

  #ask(): void {
    const { cameras, modes, want } = this.#options
    for (const { id, online } of cameras.list()) {
      const { mode } = modes.now(id)
      if (online && (mode === 'continuous' || mode === 'continuous-sub')) want(id)
    }
  }

  /** Idempotent. */
  [Symbol.dispose](): void {
    clearInterval(this.#timer)
    for (const stop of this.#stops) stop()
  }
}
