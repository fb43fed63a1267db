import type { PorchlightError } from '@porchlight/proto/errors.ts'
import { mp4Path, playlistPath } from '../api/calls.ts'
import { browserMedia, playMedia } from './play-media.ts'
import { playbackWay } from './playback-way.ts'

/**
 * Puts an event's recording into a <video>; playback begins at the pre-roll.
 * @param failed called when it cannot be played (any more)
 * @returns the way to end it
 */
export async function playRecording(
  video: HTMLVideoElement,
  event: string,
  recording: 'none' | 'growing' | 'complete',
  failed: (error: PorchlightError) => void,
): Promise<() => void> {
  const way = playbackWay(recording, browserMedia(video))
  const paths = { mp4: mp4Path(event), playlist: playlistPath(event) }
  return playMedia(video, way, paths, 0, failed)
}
