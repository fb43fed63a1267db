import type { RelayFor } from '../webrtc/turn.ts'
import { systemTimers, type Timers } from './session-machine.ts'
import type { CommandBody } from './signal-body.ts'

export interface DeviceRelaysOptions {
  relayFor: RelayFor
  command(device: string, body: CommandBody): void
  timers?: Timers
}

/**
 * Tells devices where they may relay: when they come, and again at half the life of what they were told. They have it
 * before they need it, because a device offers as soon as somebody rings, without asking.
 */
export class DeviceRelays implements Disposable {
  readonly #options: DeviceRelaysOptions
  readonly #timers: Timers
  readonly #online = new Map<string, () => void>()

  constructor(options: DeviceRelaysOptions) {
    this.#options = options
    this.#timers = options.timers ?? systemTimers
  }

  /** A device came (again) or went. */
  online(device: string, online: boolean): void {
    this.#online.get(device)?.()
    this.#online.delete(device)
    if (online) this.#tell(device)
  }

  #tell(device: string): void {
    const relay = this.#options.relayFor(device)
    this.#options.command(device, { type: 'relay', ...relay })
    const stop = this.#timers.set(() => this.#tell(device), relay.seconds * 500)
    this.#online.set(device, stop)
  }

  /** Idempotent. */
  close(): void {
    for (const stop of this.#online.values()) stop()
    this.#online.clear()
  }

  [Symbol.dispose](): void {
    this.close()
  }
}
