import type { Logger } from 'pino'
import type { Devices } from './devices.ts'

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
  readonly #timer: NodeJS.Timeout
  #known: Map<string, string> | undefined
  #looking: Promise<void> | undefined

  constructor(options: DeviceWatchOptions) {
    this.#options = options
    this.#timer = setInterval(() => {
      this.look().catch((error: unknown) =>
        options.log.error({ err: error }, 'the devices could not be looked through'),
      )
    }, options.intervalMs ?? 3_000)
  }

  /** Looks now. One look at a time. */
  look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined
    })
    return this.#looking
  }

  /** Idempotent. */
  async close(): Promise<void> {
    clearInterval(this.#timer)
    await Promise.allSettled([this.#looking])
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
