import type { AccessUnit, AudioFormat, AudioFrame } from '@porchlight/proto/media/access-unit.ts'
import type { MediaReader, VideoLayer } from '../../gateway/sfu/media-reader.ts'

/** Stands for the SFU towards the recorder: tests say what comes. */
export class ScriptedSfu {
  readonly readers = new Map<string, MediaReader>()

  /** The small layer's readers are under `{camera} sub`. */
  read(camera: string, reader: MediaReader, layer: VideoLayer = 'video'): () => void {
    const key = layer === 'sub' ? `${camera} sub` : camera
    this.readers.set(key, reader)
    return () => {
      if (this.readers.get(key) === reader) this.readers.delete(key)
    }
  }

  /** Sends pictures with the sound beside them, in order of their times. */
  play(
    camera: string,
    run: string,
    units: readonly AccessUnit[],
    audio: { format?: AudioFormat; frames?: readonly AudioFrame[] } = {},
  ): void {
    const reader = this.readers.get(camera)
    if (reader === undefined) throw new Error(`nobody reads ${camera}`)
    reader.format(run, { codec: units[0]!.codec, width: 320, height: 240 }, audio.format)
    let next = 0
    const frames = audio.frames ?? []
    for (const unit of units) {
      for (; frames[next] && frames[next]!.captureMs <= unit.captureMs; next += 1) reader.audioFrame(frames[next]!)
      this.readers.get(camera)?.accessUnit(unit)
    }
    for (const frame of frames.slice(next)) reader.audioFrame(frame)
  }
}
