import { join } from 'node:path'
import { asPorchlightError } from '@porchlight/proto/errors.ts'
import { name } from '@porchlight/proto/ids.ts'
import { type DeviceMode, deviceMode } from '@porchlight/proto/messages/recording-mode.ts'
import type { Logger } from 'pino'
import { z } from 'zod'
import { readDataFile, writeDataFile } from './identity/data-file.ts'

/** Where the modes are kept. */
export const recordingModesFile = (dataDir: string) => join(dataDir, 'recording-modes.json')

const keptModes = z.record(name, deviceMode)

/** What the gateway said last of each camera, kept on the disk: it holds when the agent starts and no gateway is there. */
export class RecordingModes implements AsyncDisposable {
  readonly #path: string
  readonly #log: Logger
  readonly #modes: Map<string, DeviceMode>
  #writing: Promise<void> = Promise.resolve()

  private constructor(path: string, modes: Map<string, DeviceMode>, log: Logger) {
    this.#path = path
    this.#modes = modes
    this.#log = log
  }

  /** What cannot be read is logged, and the gateway says it anew. */
  static open(dataDir: string, log: Logger): RecordingModes {
    const path = recordingModesFile(dataDir)
    try {
      const kept = keptModes.parse(JSON.parse(readDataFile(path) ?? '{}'))
      return new RecordingModes(path, new Map(Object.entries(kept)), log)
    } catch (error) {
      log.error({ err: asPorchlightError(error, 'identity_unreadable') }, 'the recording modes cannot be read')
      return new RecordingModes(path, new Map(), log)
    }
  }

  /** @returns `events` where nothing was said */
  of(camera: string): DeviceMode {
    return this.#modes.get(camera) ?? 'events'
  }

  /** @returns whether it is another mode than before */
  set(camera: string, mode: DeviceMode): boolean {
    if (mode === this.of(camera)) return false
    this.#modes.set(camera, mode)
    const text = JSON.stringify(Object.fromEntries(this.#modes))
    this.#writing = this.#writing
      .then(() => writeDataFile(this.#path, text))
      .catch((error: unknown) => {
        this.#log.error({ err: error, camera, mode }, 'the recording mode holds until the agent ends: it is not kept')
      })
    return true
  }

  /** Waits for what is being written. Idempotent. */
  close(): Promise<void> {
    return this.#writing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}
