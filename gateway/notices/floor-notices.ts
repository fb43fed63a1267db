import type { FloorNotice } from '@porchlight/proto/messages/notice.ts'

export interface FloorNoticesOptions {
  publish: (notice: FloorNotice) => void
  /** ms since the Unix epoch */
  now: () => number
}

/** Says who holds a camera's talk floor, and that a lease has run out when nobody gives the floor back. */
export class FloorNotices implements Disposable {
  readonly #options: FloorNoticesOptions
  readonly #leases = new Map<string, NodeJS.Timeout>()

  constructor(options: FloorNoticesOptions) {
    this.#options = options
  }

  /** @param leaseMs how long the floor is held unless renewed, ms */
  changed(camera: string, holder: { session: string; name: string } | undefined, leaseMs: number): void {
    clearTimeout(this.#leases.get(camera))
    this.#leases.delete(camera)
    const { publish, now } = this.#options
    if (!holder) {
      publish({ type: 'floor', camera, holder: null, until: null })
      return
    }
    const { session, name } = holder
    publish({ type: 'floor', camera, holder: { session, name }, until: now() + leaseMs })
    this.#leases.set(
      camera,
      setTimeout(() => this.changed(camera, undefined, 0), leaseMs),
    )
  }

  /** Idempotent. */
  close(): void {
    for (const timer of this.#leases.values()) clearTimeout(timer)
    this.#leases.clear()
  }

  [Symbol.dispose](): void {
    this.close()
  }
}
