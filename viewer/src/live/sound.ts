import { signal } from '@preact/signals'
import { remember, remembered } from '../state/preferences.ts'

/** Whether a person wants to hear; remembered. */
const wanted = signal(remembered('sound') === 'on')
/** Whether the picture on the screen is heard. */
export const audible = signal(false)
/** Sound is wanted, and the browser waits for a tap to allow it. */
export const soundBlocked = signal(false)

/**
 * Plays with sound where it is wanted and allowed, else without: the picture never waits for it.
 * @throws DOMException where the browser does not even play a muted picture
 */
export async function playWithSound(video: HTMLVideoElement): Promise<void> {
  video.muted = !wanted.value
  try {
    await video.play()
  } catch (error) {
    if (!(error instanceof DOMException)) throw error
    // A newer picture took the place of this one: its own play() decides.
    if (error.name === 'AbortError') return
    if (error.name !== 'NotAllowedError' || video.muted) throw error
    video.muted = true
    await video.play()
  }
  audible.value = !video.muted
  soundBlocked.value = wanted.value && video.muted
}

/** Call from a tap. */
export async function switchSound(video: HTMLVideoElement): Promise<void> {
  wanted.value = !audible.value
  remember('sound', wanted.value ? 'on' : 'off')
  await playWithSound(video)
}
