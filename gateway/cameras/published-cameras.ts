import { splitCameraId } from '@porchlight/proto/ids.ts'
import type { AudioCodec, CameraState, VideoCodec } from '@porchlight/proto/messages/cameras.ts'
import type { CameraRegistry } from './registry.ts'

/** What somebody sends who is on the air. */
export interface SentCodecs {
  video: VideoCodec
  audio: AudioCodec | undefined
}

/** Puts cameras that publish by themselves into the list of cameras: there is no device that would tell of them. */
export class PublishedCameras {
  readonly #cameras: Pick<CameraRegistry, 'published' | 'forget'>
  /** Of all there are. */
  readonly #titles = new Map<string, string>()
  readonly #onAir = new Map<string, SentCodecs>()

  constructor(cameras: Pick<CameraRegistry, 'published' | 'forget'>) {
    this.#cameras = cameras
  }

  /** All there are by now; what is not in it any more is forgotten. */
  present(all: readonly { id: string; title: string }[]): void {
    const titles = new Map(all.map(({ id, title }) => [id, title]))
    for (const id of this.#titles.keys()) {
      if (titles.has(id)) continue
      this.#titles.delete(id)
      this.#cameras.forget(id)
    }
    for (const [id, title] of titles) {
      if (this.#titles.get(id) === title) continue
      this.#titles.set(id, title)
      this.#tell(id, title)
    }
  }

  /** What is sent at a camera from now on; undefined: nothing. */
  onAir(id: string, sent: SentCodecs | undefined): void {
    if (sent) this.#onAir.set(id, sent)
    else this.#onAir.delete(id)
    const title = this.#titles.get(id)
    if (title !== undefined) this.#tell(id, title)
  }

  #tell(id: string, title: string): void {
    const sent = this.#onAir.get(id)
    const state: CameraState = {
      camera: splitCameraId(id).camera,
      title,
      kind: 'camera',
      state: sent ? 'live' : 'connecting',
      // How large the picture is stands in the stream alone.
      ...(sent && { video: { codec: sent.video, width: 0, height: 0 } }),
      ...(sent?.audio && { audio: sent.audio }),
      motion: 'unavailable',
      notes: [],
    }
    this.#cameras.published(id, state, sent !== undefined)
  }
}
