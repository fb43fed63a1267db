import type { BrowserContext, Page } from 'playwright-core'
import { barcodeReaderSource } from './barcode.ts'
import { until } from './until.ts'

/** One picture that came on screen. */
export interface SeenFrame {
  /** Its bar code; undefined where none could be read. */
  barcode: number | undefined
  /** When it was on screen, ms since the Unix epoch (the page's clock is this machine's). */
  atMs: number
}

/** Begins to note every picture that the page's video element shows; waits for the element. */
export async function watchFrames(page: Page): Promise<void> {
  await page.waitForSelector('video')
  await page.evaluate(`(() => {
    const read = ${barcodeReaderSource}
    const seen = []
    window.seenFrames = seen
    let video
    const note = () => {
      // What is read is what is on screen by now: on a busy machine a later picture than the one that this call is for.
      const barcode = read(video)
      seen.push({ barcode, atMs: performance.timeOrigin + performance.now() })
      video.requestVideoFrameCallback(note)
    }
    // A page that connects again may do so with another element.
    setInterval(() => {
      const shown = document.querySelector('video')
      if (!shown || shown === video) return
      video = shown
      video.requestVideoFrameCallback(note)
    }, 50)
  })()`)
}

/** What was shown since `watchFrames`, oldest first. */
export function seenFrames(page: Page): Promise<SeenFrame[]> {
  return page.evaluate('window.seenFrames') as Promise<SeenFrame[]>
}

/** Waits until `count` pictures with a readable bar code came after `sinceMs`, and gives them. */
export async function framesAfter(page: Page, sinceMs: number, count: number, timeout = 90_000): Promise<SeenFrame[]> {
  return until(
    `${count} pictures with a bar code`,
    async () => {
      const frames = (await seenFrames(page)).filter(({ barcode, atMs }) => barcode !== undefined && atMs > sinceMs)
      return frames.length >= count && frames
    },
    timeout,
  )
}

/** Keeps the peer connections of the context's pages, for {@link receivedVideo}. To be called ahead of the first page. */
export async function keepPeers(context: BrowserContext): Promise<void> {
  await context.addInitScript(`
    window.peers = []
    window.RTCPeerConnection = class extends RTCPeerConnection {
      constructor(...options) {
        super(...options)
        window.peers.push(this)
      }
    }
  `)
}

/** What came over the page's peer connections so far: whole pictures, and RTP packets missed. */
export function receivedVideo(page: Page): Promise<{ pictures: number; packetsLost: number }> {
  return page.evaluate(`(async () => {
    const sum = { pictures: 0, packetsLost: 0 }
    for (const peer of window.peers) {
      for (const report of (await peer.getStats()).values()) {
        if (report.type !== 'inbound-rtp' || report.kind !== 'video') continue
        sum.pictures += report.framesReceived
        sum.packetsLost += report.packetsLost
      }
    }
    return sum
  })()`) as Promise<{ pictures: number; packetsLost: number }>
}

/** How the page's picture comes from its TURN server: `udp`, `tcp`, `tls`; undefined where it comes without one. */
export function relayOf(page: Page): Promise<string | undefined> {
  return page.evaluate(`(async () => {
    const reports = await window.peers.findLast((peer) => peer.connectionState === 'connected').getStats()
    const { selectedCandidatePairId } = [...reports.values()].find(({ type }) => type === 'transport')
    return reports.get(reports.get(selectedCandidatePairId).localCandidateId).relayProtocol
  })()`) as Promise<string | undefined>
}

/** Waits until the sound of the page's live stream has its strongest tone within `toleranceHz` of `hz`. */
export async function hearTone(page: Page, hz: number, toleranceHz = 12, timeout = 90_000): Promise<void> {
  await page.evaluate(`(async () => {
    if (window.strongestTone) return
    const context = new AudioContext()
    await context.resume()
    const analyser = context.createAnalyser()
    analyser.fftSize = 16384
    const bins = new Float32Array(analyser.frequencyBinCount)
    let source
    let stream
    window.strongestTone = () => {
      const now = document.querySelector('video')?.srcObject
      if (now && now !== stream && now.getAudioTracks().length > 0) {
        source?.disconnect()
        stream = now
        source = context.createMediaStreamSource(new MediaStream(now.getAudioTracks()))
        source.connect(analyser)
      }
      analyser.getFloatFrequencyData(bins)
      let best = 0
      for (let bin = 1; bin < bins.length; bin += 1) if (bins[bin] > bins[best]) best = bin
      return bins[best] < -70 ? 0 : (best * context.sampleRate) / analyser.fftSize
    }
  })()`)
  await until(
    `a tone of ${hz} Hz`,
    async () => Math.abs(((await page.evaluate('window.strongestTone()')) as number) - hz) <= toleranceHz,
    timeout,
  )
}
