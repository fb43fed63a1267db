import { PorchlightError } from '@porchlight/proto/errors.ts'
import type { BrowserMedia, PlaybackWay } from './playback-way.ts'

/** Where a recording is had from. */
export interface MediaPaths {
  mp4: string
  playlist: string
}

/** What this browser plays. */
export function browserMedia(video: HTMLVideoElement): BrowserMedia {
  return {
    vendor: navigator.vendor,
    nativeHls: video.canPlayType('application/vnd.apple.mpegurl') !== '',
    mse: 'MediaSource' in window || 'ManagedMediaSource' in window,
  }
}

/**
 * Puts a recording into a <video>.
 * @param startSeconds where it begins to play
 * @param failed called when it cannot be played (any more)
 * @returns the way to end it
 * @throws PorchlightError `recording_empty`, `playback_failed`
 */
export async function playMedia(
  video: HTMLVideoElement,
  way: PlaybackWay,
  paths: MediaPaths,
  startSeconds: number,
  failed: (error: PorchlightError) => void,
): Promise<() => void> {
  if (way === 'none') throw new PorchlightError('recording_empty')
  if (way === 'hls.js') return playWithHls(video, paths.playlist, startSeconds, failed)
  const onError = () => failed(mediaError(video.error))
  const onMetadata = () => {
    video.currentTime = startSeconds
  }
  video.addEventListener('error', onError)
  if (startSeconds > 0) video.addEventListener('loadedmetadata', onMetadata, { once: true })
  video.src = way === 'mp4' ? paths.mp4 : paths.playlist
  return () => {
    video.removeEventListener('error', onError)
    video.removeEventListener('loadedmetadata', onMetadata)
    video.removeAttribute('src')
    video.load()
  }
}

async function playWithHls(
  video: HTMLVideoElement,
  playlist: string,
  startPosition: number,
  failed: (error: PorchlightError) => void,
): Promise<() => void> {
  const { default: Hls } = await import('hls.js/light')
  if (!Hls.isSupported()) throw new PorchlightError('playback_failed', 'no media source extensions')
  // A worker from a blob is not in the page's Content-Security-Policy.
  const hls = new Hls({ enableWorker: false, startPosition })
  hls.on(Hls.Events.ERROR, (_name, data) => {
    if (!data.fatal) return
    const codec = data.details === Hls.ErrorDetails.BUFFER_ADD_CODEC_ERROR
    failed(new PorchlightError(codec ? 'codec_unsupported' : 'playback_failed', data.details))
  })
  hls.loadSource(playlist)
  hls.attachMedia(video)
  return () => hls.destroy()
}

/** What a <video> says went wrong. */
export function mediaError(error: MediaError | null): PorchlightError {
  const unsupported =
    error?.code === MediaError.MEDIA_ERR_SRC_NOT_SUPPORTED || error?.code === MediaError.MEDIA_ERR_DECODE
  return new PorchlightError(unsupported ? 'codec_unsupported' : 'playback_failed', error?.message)
}
