import type { AccessUnit, AudioFormat, AudioFrame, VideoFormat } from '@porchlight/proto/media/access-unit.ts'
import type { CameraListener } from '../../device/camera/camera-source.ts'

/** A listener that keeps everything and can be waited on. */
export class CameraCollector implements CameraListener {
  readonly units: AccessUnit[] = []
  readonly frames: AudioFrame[] = []
  readonly formats: { video: VideoFormat | undefined; audio: AudioFormat | undefined }[] = []
  readonly notes: string[] = []
  readonly #waiting = new Set<() => void>()

  format(video: VideoFormat | undefined, audio: AudioFormat | undefined): void {
    this.formats.push({ video, audio })
    this.#wake()
  }

  accessUnit(unit: AccessUnit): void {
    this.units.push(unit)
    this.#wake()
  }

  audioFrame(frame: AudioFrame): void {
    this.frames.push(frame)
    this.#wake()
  }

  note(code: string): void {
    this.notes.push(code)
    this.#wake()
  }

  /** Resolves once `fits` holds after something came. The test's own deadline bounds it. */
  when(fits: () => boolean): Promise<void> {
    if (fits()) return Promise.resolve()
    const { promise, resolve } = Promise.withResolvers<void>()
    const check = () => {
      if (!fits()) return
      this.#waiting.delete(check)
      resolve()
    }
    this.#waiting.add(check)
    return promise
  }

  #wake(): void {
    for (const check of [...this.#waiting]) check()
  }
}
