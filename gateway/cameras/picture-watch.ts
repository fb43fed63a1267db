import type { CameraRegistry } from './registry.ts'

/** What is asked of a producer. */
interface PictureSource {
  /** ms since the Unix epoch */
  readonly newestCaptureMs: number | undefined
}

export interface PictureWatchOptions {
  cameras: Pick<CameraRegistry, 'picture'>
  /** Tells whenever a camera gets or loses its producer. @returns a function that ends the telling */
  onProducer(callback: (camera: string, producer: PictureSource | undefined) => void): () => void
  intervalMs?: number
}

/** Keeps the time of every camera's newest picture, so that a page can say how old it is. */
export class PictureWatch implements Disposable {
  readonly #options: PictureWatchOptions
  readonly #live = new Map<string, PictureSource>()
  readonly #timer: NodeJS.Timeout
  readonly #stop: () => void

  constructor(options: PictureWatchOptions) {
    this.#options = options
    this.#stop = options.onProducer((camera, producer) => {
      this.#look(camera)
      if (producer) this.#live.set(camera, producer)
      else this.#live.delete(camera)
    })
    this.#timer = setInterval(() => {
      for (const camera of this.#live.keys()) this.#look(camera)
    }, options.intervalMs ?? 2_000)
  }

  /** Looks a last time. Idempotent. */
  close(): void {
    clearInterval(this.#timer)
    this.#stop()
    for (const camera of this.#live.keys()) this.#look(camera)
    this.#live.clear()
  }

  [Symbol.dispose](): void {
    this.close()
  }

  #look(camera: string): void {
    const at = this.#live.get(camera)?.newestCaptureMs
    if (at !== undefined) this.#options.cameras.picture(camera, at)
  }
}
