import type { Page } from 'playwright-core'
import { askForLostSound } from '../../viewer/src/live/ask-for-lost-sound.ts'
import { awaitRepairs, repairWait } from '../../viewer/src/live/await-repairs.ts'
import { barcodeReaderSource } from '../support/barcode.ts'

/** A picture that came on screen; times in ms since the Unix epoch on this machine's clock. */
export interface ShownFrame {
  atMs: number
  /** When the bar code was read: by then a later picture may stand there than the one that came on at `atMs`. */
  readMs: number
  barcode: number | undefined
  /** Of the picture, pixels. */
  width: number
}

/** What a page has seen of its session so far. */
export interface Seen {
  tapMs: number
  answerMs: number
  connectedMs: number | undefined
  frames: ShownFrame[]
  /** RTP packets of sound lost for good. */
  soundLost: number
  /** Samples of sound that came, and those of them that the browser had to make up. */
  samples: number
  concealed: number
  framesDropped: number
  /** Pictures that came on screen: also those of which a busy page was not told in time. */
  shown: number
  /** For people: what else the browser counts of picture and sound. */
  counts: Record<string, number>
}

export interface WhepTarget {
  /** A page of the same origin. */
  page: string
  whep: string
  headers: Record<string, string>
}

/** What lies between page and gateway. */
export interface Between {
  /** UDP goes through here; 0: straight to the gateway. */
  relayPort: number
  /** Added to the HTTP request, ms. */
  rttMs: number
}

/** In a page: makes the video element anew, and notes every picture that comes on screen. */
export const screenSource = `(() => {
  const read = ${barcodeReaderSource}
  document.body.replaceChildren()
  const video = document.createElement('video')
  video.autoplay = video.playsInline = video.muted = true
  document.body.append(video)
  const frames = []
  const note = (_, { expectedDisplayTime }) => {
    const epoch = performance.timeOrigin
    frames.push({ atMs: epoch + expectedDisplayTime, readMs: epoch + performance.now(), barcode: read(video), width: video.videoWidth })
    video.requestVideoFrameCallback(note)
  }
  video.requestVideoFrameCallback(note)
  const stream = new MediaStream()
  video.srcObject = stream
  return { stream, frames }
})`

/** Taps, and sees what comes until `leave`. Asks and waits for what is lost as the viewer's page does. */
const joinSource = `(async (url, headers, { relayPort, rttMs }) => {
  ${repairWait}
  ${awaitRepairs}
  const { stream, frames } = ${screenSource}()
  const epoch = performance.timeOrigin
  const tapMs = epoch + performance.now()
  const peer = new RTCPeerConnection({ bundlePolicy: 'max-bundle' })
  peer.ontrack = ({ track }) => stream.addTrack(track)
  let connectedMs
  peer.onconnectionstatechange = () => {
    if (peer.connectionState === 'connected') connectedMs ??= epoch + performance.now()
  }
  peer.addTransceiver('video', { direction: 'recvonly' })
  peer.addTransceiver('audio', { direction: 'recvonly' })
  await peer.setLocalDescription()
  // Behind the relay the gateway must not find a way around it.
  const offer = (${askForLostSound})(peer.localDescription.sdp)
  const sdp = relayPort ? offer.replace(/a=candidate:.*\\r\\n/g, '') : offer
  if (rttMs) await new Promise((resolve) => setTimeout(resolve, rttMs))
  const reply = await fetch(url, { method: 'POST', headers: { ...headers, 'content-type': 'application/sdp' }, body: sdp })
  if (reply.status !== 201) throw new Error('WHEP: ' + reply.status + ' ' + (await reply.text()))
  let answer = await reply.text()
  const answerMs = epoch + performance.now()
  if (relayPort) answer = answer.replace(/(a=candidate:\\S+ 1 UDP \\d+) \\S+ \\d+/g, '$1 127.0.0.1 ' + relayPort)
  await peer.setRemoteDescription({ type: 'answer', sdp: answer })
  const stopAwaiting = awaitRepairs(peer, peer.getReceivers()[0])
  const told = ['packetsReceived', 'packetsLost', 'nackCount', 'pliCount', 'framesDecoded', 'freezeCount', 'retransmittedPacketsReceived', 'jitterBufferDelay', 'jitterBufferEmittedCount']
  const seen = async () => {
    const result = { tapMs, answerMs, connectedMs, frames, soundLost: 0, samples: 0, concealed: 0, framesDropped: 0, shown: 0, counts: {} }
    const { totalVideoFrames, droppedVideoFrames } = document.querySelector('video').getVideoPlaybackQuality()
    result.shown = totalVideoFrames - droppedVideoFrames
    for (const entry of (await peer.getStats()).values()) {
      if (entry.type !== 'inbound-rtp') continue
      for (const name of told) if (entry[name] !== undefined) result.counts[entry.kind + ' ' + name] = entry[name]
      if (entry.kind === 'video') result.framesDropped = entry.framesDropped
      else {
        result.soundLost = entry.packetsLost
        result.samples = entry.totalSamplesReceived
        result.concealed = entry.concealedSamples
      }
    }
    return result
  }
  const leave = async () => {
    const location = reply.headers.get('location')
    if (location) await fetch(new URL(location, url), { method: 'DELETE', headers })
    stopAwaiting()
    peer.close()
  }
  window.view = { seen, leave }
})`

/** Joins by WHEP on a page of the target's; what it sees is read by {@link seen}. */
export async function join(page: Page, { whep, headers }: WhepTarget, between: Between): Promise<void> {
  await page.evaluate(`${joinSource}(${[whep, headers, between].map((value) => JSON.stringify(value)).join(', ')})`)
}

export function seen(page: Page): Promise<Seen> {
  return page.evaluate('window.view.seen()') as Promise<Seen>
}

export async function leave(page: Page): Promise<void> {
  await page.evaluate('window.view.leave()')
}
