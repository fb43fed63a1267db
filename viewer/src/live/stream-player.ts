import { PorchlightError } from '@porchlight/proto/errors.ts'
import { liveStreamPath } from '../api/calls.ts'
import { request } from '../api/request.ts'
import type { ConnectionEvents } from './live-supervisor.ts'
import { append, dropBefore, openSource, Source } from './media-source.ts'
import { streamPace } from './stream-pace.ts'

/** A live picture that comes as MP4 fragments. */
export interface StreamSession {
  readonly hasAudio: boolean
  close(): void
}

/** Shown this long ago, it may go where room is needed, s. */
const shownS = 1

/**
 * Opens a camera without WebRTC and puts it into a <video>, which the caller plays.
 * @throws PorchlightError what the gateway says; `codec_unsupported` where the browser does not play it
 */
export async function openStream(
  camera: string,
  video: HTMLVideoElement,
  events: Pick<ConnectionEvents, 'arrived' | 'lost'>,
  signal: AbortSignal,
): Promise<StreamSession> {
  if (Source === undefined) throw new PorchlightError('codec_unsupported', 'no media source extensions')
  const closed = new AbortController()
  const over = AbortSignal.any([signal, closed.signal])
  try {
    const opus = Source.isTypeSupported('audio/mp4; codecs="opus"')
    const response = await request(liveStreamPath(camera, opus), { signal: over, endless: true })
    const type = response.headers.get('content-type') ?? ''
    if (response.body === null || !Source.isTypeSupported(type)) throw new PorchlightError('codec_unsupported', type)
    const source = new Source()
    await openSource(video, source, over)
    const buffer = source.addSourceBuffer(type)
    const lose = (error: unknown) => {
      if (!over.aborted) events.lost(error)
    }
    video.addEventListener('error', () => lose(playerError(video.error)), { signal: over })
    pump(response.body, video, buffer, events.arrived).catch((cause: unknown) =>
      lose(cause instanceof PorchlightError ? cause : new PorchlightError('session_ended', undefined, { cause })),
    )
    return { hasAudio: type.includes('opus'), close: () => closed.abort() }
  } catch (error) {
    closed.abort()
    throw error
  }
}

/** Reads as fast as the browser takes it; the gateway leaves out what a slow one cannot take. */
async function pump(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  video: HTMLVideoElement,
  buffer: SourceBuffer,
  arrived: () => void,
): Promise<never> {
  const reader = body.getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) throw new PorchlightError('session_ended')
    arrived()
    await append(buffer, value, video.currentTime - shownS)
    await keepPace(video, buffer)
  }
}

async function keepPace(video: HTMLVideoElement, buffer: SourceBuffer): Promise<void> {
  if (video.seeking) return
  const { currentTime: at, playbackRate: rate, buffered } = video
  const ranges = Array.from(
    { length: buffered.length },
    (_, index) => [buffered.start(index), buffered.end(index)] as const,
  )
  const pace = streamPace({ at, ranges, rate })
  if (pace.rate !== rate) video.playbackRate = pace.rate
  if (pace.seekTo !== undefined) video.currentTime = pace.seekTo
  if (pace.dropBefore !== undefined) await dropBefore(buffer, pace.dropBefore)
}

function playerError(error: MediaError | null): PorchlightError {
  const unsupported = error?.code === MediaError.MEDIA_ERR_SRC_NOT_SUPPORTED
  return new PorchlightError(unsupported ? 'codec_unsupported' : 'session_ended', error?.message)
}
