/**
 * Calls `shown` for every picture that comes onto the screen; where a browser does not tell, as its time goes on.
 * @returns the way to stop
 */
export function watchShown(video: HTMLVideoElement, shown: () => void): () => void {
  const tells = typeof HTMLVideoElement.prototype.requestVideoFrameCallback === 'function'
  if (!tells) {
    video.addEventListener('timeupdate', shown)
    return () => video.removeEventListener('timeupdate', shown)
  }
  let handle = 0
  const next = () => {
    shown()
    handle = video.requestVideoFrameCallback(next)
  }
  handle = video.requestVideoFrameCallback(next)
  return () => video.cancelVideoFrameCallback(handle)
}
