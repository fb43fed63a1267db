import type { Logger } from 'pino'
import type { Devices } from './devices.ts'
import { IndexWatch } from './index-watch.ts'

export interface DeviceWatchOptions {
  devices: Pick<Devices, 'list' | 'takeUsed'>
  /** A device was revoked, or enrolled anew with another key: what it has open is not its own any more. */
  gone: (device: string) => void
  log: Logger
  intervalMs?: number
}

/** Notices what `gateway revoke` and `gateway enroll` did beside the running gateway. */
export class DeviceWatch implements AsyncDisposable {
  readonly #options: DeviceWatchOptions
  readonly #watch: IndexWatch
  #known: Map<string, string> | undefined

  constructor(options: DeviceWatchOptions) {
    this.#options = options
    this.#watch = new IndexWatch({ ...options, look: () => this.#look() })
  }

  /** Looks now. One look at a time. */
  look(): Promise<void> {
    return this.#watch.look()
  }

  /** Idempotent. */
  close(): Promise<void> {
    return this.#watch.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #look(): Promise<void> {
    // Taken ahead of the list: a device may be enrolled, come, and be revoked all between two looks.
    const used = this.#options.devices.takeUsed()
    const now = new Map<string, string>()
    for (const device of await this.#options.devices.list()) {
      if (device.revoked_at === null) now.set(device.name, device.public_key)
    }
    const before = [...(this.#known ?? []), ...used]
    this.#known = now
    const gone = new Set(before.filter(([device, key]) => now.get(device) !== key).map(([device]) => device))
    for (const device of gone) this.#options.gone(device)
  }
}
