import { splitCameraId } from '@porchlight/proto/ids.ts'
import type { RecordingMode } from '@porchlight/proto/messages/recording-mode.ts'
import { isPublished } from '../auth/publish-tokens.ts'
import type { CommandBody } from './signal-body.ts'

/** A command may be lost: modes are told again so often, ms. */
const againMs = 60_000

export interface DeviceModesOptions {
  /** The cameras that there are; each is told when something of it changes, its mode too. */
  cameras: { list(): { id: string }[]; onChange(listener: (camera: { id: string }) => void): () => void }
  mode(camera: string): RecordingMode
  command(device: string, body: CommandBody): void
}

/** Tells devices what is recorded of their cameras: when they come, at each change, and again and again. */
export class DeviceModes implements Disposable {
  readonly #options: DeviceModesOptions
  readonly #online = new Set<string>()
  /** Modes told since their device came. */
  readonly #told = new Map<string, RecordingMode>()
  readonly #timer: NodeJS.Timeout
  readonly #stop: () => void

  constructor(options: DeviceModesOptions) {
    this.#options = options
    this.#stop = options.cameras.onChange(({ id }) => this.#look(id))
    this.#timer = setInterval(() => {
      this.#told.clear()
      this.#lookAtAll()
    }, againMs)
  }

  /** A device came (again) or went. */
  online(device: string, online: boolean): void {
    for (const id of this.#told.keys()) if (splitCameraId(id).device === device) this.#told.delete(id)
    if (online) this.#online.add(device)
    else this.#online.delete(device)
    this.#lookAtAll()
  }

  #lookAtAll(): void {
    for (const { id } of this.#options.cameras.list()) this.#look(id)
  }

  #look(id: string): void {
    const { device, camera } = splitCameraId(id)
    const mode = this.#options.mode(id)
    if (isPublished(id) || !this.#online.has(device) || this.#told.get(id) === mode) return
    this.#told.set(id, mode)
    // The small layer is not kept for later: a device has nothing to do for it.
    this.#options.command(device, { type: 'recording', camera, mode: mode === 'continuous-sub' ? 'events' : mode })
  }

  /** Idempotent. */
  [Symbol.dispose](): void {
    clearInterval(this.#timer)
    this.#stop()
  }
}
