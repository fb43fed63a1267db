import type { AccessUnit, AudioFormat, AudioFrame, VideoFormat } from '@porchlight/proto/media/access-unit.ts'

/** The main picture of a camera, or its small one. */
export type VideoLayer = 'video' | 'sub'

/**
 * Somebody who takes whole frames from a producer: the recorder. It first gets the kept group of pictures, then live.
 * Times are never squeezed here. A reader must not block and must not throw.
 */
export interface MediaReader {
  /** Before the first frame, and again whenever it changes. `run` names the numbering (camera's boot). Without `video` the
   * camera has no picture in the layer that is read, and nothing follows. */
  format(run: string, video: VideoFormat | undefined, audio: AudioFormat | undefined): void
  accessUnit(unit: AccessUnit): void
  audioFrame(frame: AudioFrame): void
  /** Frames `from`…`to` (inclusive) were lost on the way beyond repair. */
  lost(from: number, to: number): void
  /** The producer is gone. The reader stays: should another producer come, `format` is called again and it goes on. */
  ended(): void
}
