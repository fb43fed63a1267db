import type { PorchlightError } from '@porchlight/proto/errors.ts'
import type { TimeSpan } from '../api/calls.ts'

/** Puts the recordings of one camera into a <video>. */
export interface ClipSource {
  /**
   * Puts the picture of a moment on screen.
   * @param ms since the Unix epoch
   * @returns false where nothing is recorded
   * @throws PorchlightError
   * @throws DOMException `AbortError` where `signal` came first
   */
  show(ms: number, signal: AbortSignal): Promise<boolean>
  /** The moment on screen, ms since the Unix epoch; undefined where there is none. */
  moment(): number | undefined
  close(): void
}

export interface ClipSourceEvents {
  /** Everything up to here was played, ms since the Unix epoch. */
  ended(ms: number): void
  /** It does not go on. */
  failed(error: PorchlightError): void
}

/** So far ahead of its end the last picture is shown, ms. */
const lastPictureMs = 60

/** The moment of a time that is nearest to another. */
export function nearest({ fromMs, toMs }: TimeSpan, ms: number): number {
  return Math.max(fromMs, Math.min(ms, toMs - lastPictureMs))
}

type SoughtEvent = 'seeked' | 'loadedmetadata' | 'loadeddata'

/** Resolves when the video has what it was asked for. @throws DOMException `AbortError` where `signal` came first */
export function heardOf(video: HTMLVideoElement, event: SoughtEvent, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const over = new AbortController()
    const until = { signal: over.signal }
    const settle = (how: () => void) => {
      over.abort()
      how()
    }
    if (signal.aborted) reject(signal.reason)
    video.addEventListener(event, () => settle(resolve), until)
    signal.addEventListener('abort', () => settle(() => reject(signal.reason)), until)
  })
}
