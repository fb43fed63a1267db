/** How often modes are looked at, and a camera that does not come is asked again, ms. */
const lookMs = 5_000

interface Camera {
  id: string
  /** Its device is connected. */
  online: boolean
}

export interface ContinuousOptions {
  /** The cameras that there are; each is told when something of it changes. */
  cameras: {
    list(): Camera[]
    onChange(listener: (camera: Camera) => void): () => void
    onForget(listener: (id: string) => void): () => void
  }
  /** Whether all of a camera is to be recorded by now. */
  wanted(camera: string): boolean
  recorder: { continuous(camera: string, on: boolean): void }
  /** Asks the camera's device for its stream, unless it comes. */
  want(camera: string): void
}

/** Has cameras recorded all the time while their mode says so, and sees to it that their devices send. */
export class ContinuousRecording implements Disposable {
  readonly #options: ContinuousOptions
  /** Cameras by whether they are recorded all the time. */
  readonly #cameras = new Map<string, boolean>()
  readonly #timer: NodeJS.Timeout
  readonly #stops: (() => void)[]

  constructor(options: ContinuousOptions) {
    const { cameras, recorder } = options
    this.#options = options
    this.#stops = [
      cameras.onChange((camera) => {
        if (!this.#cameras.has(camera.id)) this.#look(camera)
      }),
      cameras.onForget((id) => {
        if (this.#cameras.get(id)) recorder.continuous(id, false)
        this.#cameras.delete(id)
      }),
    ]
    const lookAtAll = () => {
      for (const camera of cameras.list()) this.#look(camera)
    }
    lookAtAll()
    this.#timer = setInterval(lookAtAll, lookMs)
  }

  #look({ id, online }: Camera): void {
    const { wanted, recorder, want } = this.#options
    const on = wanted(id)
    const before = this.#cameras.get(id) ?? false
    // First, because the recorder tells of its state, which is a change of the camera.
    this.#cameras.set(id, on)
    if (on !== before) recorder.continuous(id, on)
    // Again each time: the question may have been lost, or its answer have failed.
    if (on && online) want(id)
  }

  /** Idempotent. */
  [Symbol.dispose](): void {
    clearInterval(this.#timer)
    for (const stop of this.#stops) stop()
  }
}
