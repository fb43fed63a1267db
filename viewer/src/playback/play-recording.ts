import { PorchlightError } from '@porchlight/proto/errors.ts'
import { mp4Path, playlistPath } from '../api/calls.ts'
import { playbackWay } from './playback-way.ts'

/**
 * Puts a recording into a <video>.
 * @param failed called when it cannot be played (any more)
 * @returns the way to end it
 */
export async function playRecording(
  video: HTMLVideoElement,
  event: string,
  recording: 'none' | 'growing' | 'complete',
  failed: (error: PorchlightError) => void,
): Promise<() => void> {
  const way = playbackWay(recording, {
    vendor: navigator.vendor,
    nativeHls: video.canPlayType('application/vnd.apple.mpegurl') !== '',
    mse: 'MediaSource' in window || 'ManagedMediaSource' in window,
  })
  if (way === 'none') throw new PorchlightError('recording_empty')
  if (way === 'hls.js') return playWithHls(video, playlistPath(event), failed)
  const onError = () => failed(mediaError(video.error))
  video.addEventListener('error', onError)
  video.src = way === 'mp4' ? mp4Path(event) : playlistPath(event)
  return () => {
    video.removeEventListener('error', onError)
    video.removeAttribute('src')
    video.load()
  }
}

async function playWithHls(
  video: HTMLVideoElement,
  playlist: string,
  failed: (error: PorchlightError) => void,
): Promise<() => void> {
  const { default: Hls } = await import('hls.js/light')
  if (!Hls.isSupported()) throw new PorchlightError('playback_failed', 'no media source extensions')
  // A worker from a blob is not in the page's Content-Security-Policy. Playback begins at the pre-roll.
  const hls = new Hls({ enableWorker: false, startPosition: 0 })
  hls.on(Hls.Events.ERROR, (_name, data) => {
    if (!data.fatal) return
    const codec = data.details === Hls.ErrorDetails.BUFFER_ADD_CODEC_ERROR
    failed(new PorchlightError(codec ? 'codec_unsupported' : 'playback_failed', data.details))
  })
  hls.loadSource(playlist)
  hls.attachMedia(video)
  return () => hls.destroy()
}

function mediaError(error: MediaError | null): PorchlightError {
  const unsupported =
    error?.code === MediaError.MEDIA_ERR_SRC_NOT_SUPPORTED || error?.code === MediaError.MEDIA_ERR_DECODE
  return new PorchlightError(unsupported ? 'codec_unsupported' : 'playback_failed', error?.message)
}
