import type { CameraRegistry } from './registry.ts'

/** A broker that restarts is back within this, ms. */
const graceMs = 10_000

/** While the devices' broker is out of reach nobody can ring: after a while no device counts as connected. */
export class LinkWatch implements Disposable {
  readonly #cameras: Pick<CameraRegistry, 'unheard'>
  #timer: NodeJS.Timeout | undefined

  constructor(cameras: Pick<CameraRegistry, 'unheard'>) {
    this.#cameras = cameras
  }

  link(up: boolean): void {
    clearTimeout(this.#timer)
    this.#timer = up ? undefined : setTimeout(() => this.#cameras.unheard(), graceMs)
  }

  /** Idempotent. */
  close(): void {
    clearTimeout(this.#timer)
  }

  [Symbol.dispose](): void {
    this.close()
  }
}
