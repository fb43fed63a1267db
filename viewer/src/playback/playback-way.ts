/** What a browser plays. */
export interface BrowserMedia {
  /** `navigator.vendor` */
  vendor: string
  /** Whether the <video> says that it may play HLS. */
  nativeHls: boolean
  /** Whether there are media source extensions. */
  mse: boolean
}

export type PlaybackWay = 'mp4' | 'native-hls' | 'hls.js' | 'none'

/**
 * How a recording is played: a complete one as MP4; one that still grows by HLS, natively where Apple's player does it
 * (others claim to, and are behind hls.js), else by hls.js.
 */
export function playbackWay(recording: 'none' | 'growing' | 'complete', browser: BrowserMedia): PlaybackWay {
  if (recording === 'none') return 'none'
  if (recording === 'complete') return 'mp4'
  if (browser.nativeHls && browser.vendor.startsWith('Apple')) return 'native-hls'
  if (browser.mse) return 'hls.js'
  // The MP4 so far: it ends where writing was when it was asked for.
  return browser.nativeHls ? 'native-hls' : 'mp4'
}
