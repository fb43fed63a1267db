import { PorchlightError } from '@porchlight/proto/errors.ts'
import { noticeSignedOut } from '../state/session.ts'
import { watchArrivals } from './arrivals.ts'
import type { ConnectionEvents, LiveConnection } from './live-supervisor.ts'
import { type LiveWay, LiveWays } from './live-ways.ts'
import { watchShown } from './shown-frames.ts'
import { playWithSound } from './sound.ts'
import { openStream } from './stream-player.ts'
import { warmUp } from './warm-peer.ts'
import { openWhep, type WhepSession } from './whep-client.ts'

/** A connection whose pictures are put on the screen. */
export interface Shown {
  hasAudio: boolean
  /** Undefined on the slower way, which has no talk. */
  whep: WhepSession | undefined
}

/** A WebRTC session that no packet came through for so long will not come to anything, ms. */
const throughMs = 8_000

const ways = new LiveWays(() => Date.now())

/** The network is another: what it lets through is to be found out anew. */
export function networkChanged(): void {
  ways.unblocked()
}

/**
 * Opens a camera by the best way that does, and puts it on the screen; every picture shown is reported.
 * @throws PorchlightError what the gateway says; `codec_unsupported` where no way is left
 */
export async function showLive(
  camera: string,
  video: HTMLVideoElement,
  onShown: (shown: Shown | undefined) => void,
  events: ConnectionEvents,
  signal: AbortSignal,
): Promise<LiveConnection> {
  let refused: unknown
  for (let way = ways.choose(camera); way !== undefined; way = ways.choose(camera)) {
    try {
      return await show(way, camera, video, onShown, events, signal)
    } catch (error) {
      noticeSignedOut(error)
      if (!ways.failed(camera, way, error)) throw error
      console.info(`No live picture by ${way}:`, error)
      refused = error
    }
  }
  ways.forget(camera)
  throw refused ?? new PorchlightError('codec_unsupported')
}

async function show(
  way: LiveWay,
  camera: string,
  video: HTMLVideoElement,
  onShown: (shown: Shown | undefined) => void,
  events: ConnectionEvents,
  signal: AbortSignal,
): Promise<LiveConnection> {
  const media =
    way === 'webrtc'
      ? await openPeer(camera, video, events, signal)
      : await openFragments(camera, video, events, signal)
  let open = true
  const stopFrames = watchShown(video, events.frame)
  playWithSound(video).catch((error: unknown) => {
    if (open) events.lost(new PorchlightError('session_ended', undefined, { cause: error }))
  })
  onShown(media)
  return {
    close: () => {
      if (!open) return
      open = false
      stopFrames()
      onShown(undefined)
      media.close()
    },
  }
}

type Media = Shown & LiveConnection

async function openPeer(
  camera: string,
  video: HTMLVideoElement,
  events: ConnectionEvents,
  signal: AbortSignal,
): Promise<Media> {
  const whep = await openWhep(camera, events.lost, signal)
  let came = false
  const stopArrivals = watchArrivals(whep.video, () => {
    came = true
    events.arrived()
  })
  const through = setTimeout(() => {
    if (came || whep.isThrough()) {
      ways.unblocked()
      return
    }
    ways.blocked()
    events.lost(new PorchlightError('session_timeout'))
  }, throughMs)
  video.srcObject = whep.stream
  // The next connection, after a loss or for the next camera, finds its peer made.
  setTimeout(warmUp, 3_000)
  return {
    hasAudio: whep.hasAudio,
    whep,
    close: () => {
      clearTimeout(through)
      stopArrivals()
      whep.close()
    },
  }
}

async function openFragments(
  camera: string,
  video: HTMLVideoElement,
  events: ConnectionEvents,
  signal: AbortSignal,
): Promise<Media> {
  return { ...(await openStream(camera, video, events, signal)), whep: undefined }
}
