import type { AudioFrame } from '@porchlight/proto/media/access-unit.ts'

/** Makes sound of one codec from sound of another for a live session. */
export interface LiveAudio extends AsyncDisposable {
  /** One frame of the camera's. What cannot be taken is dropped. Never throws. */
  push(frame: AudioFrame): void
  /** Idempotent. */
  close(): Promise<void>
}
