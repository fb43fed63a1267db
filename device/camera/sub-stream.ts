import type { VideoFormat } from '@porchlight/proto/media/access-unit.ts'
import type { Logger } from 'pino'
import { PrerollRing } from '../preroll/ring.ts'
import { Camera } from './camera.ts'
import type { CameraListener } from './camera-source.ts'
import type { SourceFactory } from './open-source.ts'

/** Only the group of pictures that is being made is kept, for sessions to begin with. */
const ringLimits = { seconds: 0, maxBytes: 4 * 1024 * 1024 }

/** The camera's small stream: motion is looked for in it, and viewers on a poor link get it. */
export class SubStream implements AsyncDisposable {
  readonly #camera: Camera
  readonly #ring = new PrerollRing(ringLimits)

  /** @param on is told of a picture before it is kept */
  constructor(
    source: SourceFactory,
    on: Pick<CameraListener, 'format' | 'accessUnit'>,
    random: () => number,
    log: Logger,
  ) {
    this.#camera = new Camera({ source, random, log: log.child({ layer: 'sub' }) })
    this.#camera.addListener({
      format: (video, audio) => {
        this.#ring.format(video, undefined)
        on.format(video, audio)
      },
      accessUnit: (unit) => {
        on.accessUnit(unit)
        this.#ring.accessUnit(unit)
      },
      audioFrame: () => undefined,
      note: () => undefined,
    })
    this.#camera.onState(() => {
      if (this.#camera.isOff) this.#ring.clear()
    })
  }

  /**
   * It as a second layer beside the main stream, of which it is taken to be of the kind while nothing has come of it yet;
   * undefined where it is another codec: who decodes the main one may not decode it.
   */
  layerOf(main: VideoFormat): { format: VideoFormat; ring: PrerollRing } | undefined {
    const format = this.#camera.format.video ?? main
    return format.codec === main.codec ? { format, ring: this.#ring } : undefined
  }

  /** Lets the stream go, until it is switched on again. */
  switchOn(on: boolean): void {
    this.#camera.switchOn(on)
  }

  requestKeyframe(): void {
    this.#camera.requestKeyframe()
  }

  /** Idempotent. */
  close(): Promise<void> {
    return this.#camera.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}
