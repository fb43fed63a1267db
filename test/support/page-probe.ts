import type { BrowserContext, Page } from 'playwright-core'
import type { SimulatedCamera } from '../sim/start-camera.ts'
import { barcodeReaderSource } from './barcode.ts'
import { until } from './until.ts'

/** One picture that came on screen. */
export interface SeenFrame {
  /** Its bar code; undefined where none could be read. */
  barcode: number | undefined
  /** When it was on screen, ms since the Unix epoch (the page's clock is this machine's). */
  atMs: number
}

/** A page of Chromium (playwright) or of Firefox (puppeteer). */
export interface ProbedPage {
  /** Runs source text in the page and gives its value. */
  evaluate(source: string): Promise<unknown>
  waitForSelector(selector: string): Promise<unknown>
}

/** Begins to note every picture that the page's video element shows; waits for the element. */
export async function watchFrames(page: ProbedPage): Promise<void> {
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
export function seenFrames(page: ProbedPage): Promise<SeenFrame[]> {
  return page.evaluate('window.seenFrames') as Promise<SeenFrame[]>
}

/** Bar code of the picture that stands in the page's video element; undefined where none can be read. */
export function standingBarcode(page: ProbedPage): Promise<number | undefined> {
  return page.evaluate(`(${barcodeReaderSource})(document.querySelector('video'))`) as Promise<number | undefined>
}

/** Waits until `count` pictures with a readable bar code came after `sinceMs`, and gives them. */
export async function framesAfter(
  page: ProbedPage,
  sinceMs: number,
  count: number,
  timeout = 90_000,
): Promise<SeenFrame[]> {
  return until(
    `${count} pictures with a bar code`,
    async () => {
      const frames = (await seenFrames(page)).filter(({ barcode, atMs }) => barcode !== undefined && atMs > sinceMs)
      return frames.length >= count && frames
    },
    timeout,
  )
}

/** How old pictures were when they were on screen, from the moment the camera sent them, ms; NaN: never sent. */
export function agesOf(frames: readonly SeenFrame[], camera: SimulatedCamera): number[] {
  return frames.map(({ barcode, atMs }) => atMs - (camera.framesSentAt(barcode ?? -1) ?? Number.NaN))
}

/** From picture to picture, how far the camera's count went on, modulo a loop of its scene. */
export function stepsOf(frames: readonly SeenFrame[], { barcodes }: SimulatedCamera): number[] {
  return frames.slice(1).map(({ barcode }, index) => (barcode! - frames[index]!.barcode! + barcodes) % barcodes)
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

/** Waits until the sound of the page's live picture, however it comes, has its strongest tone within `toleranceHz` of `hz`. */
export async function hearTone(page: ProbedPage, hz: number, toleranceHz = 12, timeout = 90_000): Promise<void> {
  await page.evaluate(`(async () => {
    if (window.strongestTone) return
    const context = new AudioContext()
    await context.resume()
    const analyser = context.createAnalyser()
    analyser.fftSize = 16384
    const bins = new Float32Array(analyser.frequencyBinCount)
    let source
    let stream
    const captured = new WeakMap()
    const capture = (video) => {
      if (!captured.has(video)) captured.set(video, video.mozCaptureStream?.() ?? video.captureStream())
      return captured.get(video)
    }
    window.strongestTone = () => {
      const video = document.querySelector('video')
      const now = video && (video.srcObject ?? capture(video))
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
