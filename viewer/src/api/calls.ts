import type { GoneReason } from '@porchlight/proto/frames.ts'
import type { CameraNotice, EventNotice } from '@porchlight/proto/messages/notice.ts'
import type { RecordingMode } from '@porchlight/proto/messages/recording-mode.ts'
import type { Relay } from '@porchlight/proto/messages/relay.ts'
import { request, requestJson } from './request.ts'
import { requestStream, type StreamedAnswer } from './request-stream.ts'

export interface User {
  id: string
  name: string
  role: string
}

export interface RecordingState {
  state: 'none' | 'growing' | 'complete'
  /** ms since the Unix epoch. */
  fromMs: number
  toMs: number
  bytes: number
  /** Stretches that are missing, ms since the Unix epoch. */
  gaps: [from: number, to: number][]
}

export type EventDetail = EventNotice & { recording: RecordingState }

export interface EventPage {
  events: EventNotice[]
  /** Pass as `before` to get older ones; null: there are none. */
  next: number | null
}

/** Why something that should be recorded is not there. */
export type GapReason = GoneReason | 'missing' | 'restart' | 'unanswered' | 'not_written'

/** A time of a camera at a glance; ms since the Unix epoch. */
export interface Timeline {
  from: number
  to: number
  /** Shorter pauses are not shown, ms. */
  resolutionMs: number
  recorded: [from: number, to: number][]
  /** What should be there and is not. */
  gaps: [from: number, to: number, reason: GapReason][]
  events: TimelineEvent[]
  eventsLeftOut: number
}

/** The same as the gateway writes it: a day has many events. */
type TimelineAnswer = Omit<Timeline, 'events'> & {
  events: [id: string, kind: TimelineEvent['kind'], beginAt: number, endAt: number | null][]
}

export interface TimelineEvent {
  id: string
  kind: EventNotice['kind']
  beginAt: number
  /** null while it goes on */
  endAt: number | null
}

/** From … to of a camera, ms since the Unix epoch. */
export interface TimeSpan {
  fromMs: number
  toMs: number
}

const cameraPath = (id: string) => `/api/cameras/${encodeURIComponent(id)}`
const eventPath = (id: string) => `/api/events/${encodeURIComponent(id)}`

export const whepPath = (camera: string) => `${cameraPath(camera)}/whep`
/** @param sound whether the browser plays Opus out of an MP4 */
export const liveStreamPath = (camera: string, sound: boolean) =>
  `${cameraPath(camera)}/live.mp4?sound=${sound ? 'opus' : 'none'}`
const spanQuery = ({ fromMs, toMs }: TimeSpan) => `from=${Math.round(fromMs)}&to=${Math.round(toMs)}`
export const clipPath = (camera: string, span: TimeSpan) => `${cameraPath(camera)}/clip.mp4?${spanQuery(span)}`
export const clipPlaylistPath = (camera: string, span: TimeSpan) => `${cameraPath(camera)}/clip.m3u8?${spanQuery(span)}`
export const stillPath = (event: string) => `${eventPath(event)}/still.jpg`
export const mp4Path = (event: string) => `${eventPath(event)}/recording.mp4`
export const playlistPath = (event: string) => `${eventPath(event)}/recording.m3u8`

/** Who is signed in, and where this page may relay its media. */
export interface SessionAnswer {
  user: User
  relay?: Relay
}

export function getSession(): Promise<SessionAnswer> {
  return requestJson<SessionAnswer>('/api/session')
}

/** Redeems a one-time link; the gateway answers with a cookie. */
export async function signIn(token: string): Promise<SessionAnswer> {
  await request('/api/session', { method: 'POST', body: { token } })
  return getSession()
}

export async function signOut(): Promise<void> {
  await request('/api/session', { method: 'DELETE' })
}

export async function getCameras(): Promise<CameraNotice[]> {
  return (await requestJson<{ cameras: CameraNotice[] }>('/api/cameras')).cameras
}

/**
 * Switches a camera off, or on: then it is recorded as configured, or at events where that would be off.
 * @throws PorchlightError
 */
export async function switchCamera(id: string, on: boolean): Promise<void> {
  const path = `${cameraPath(id)}/recording`
  const choose = (mode: RecordingMode) => request(path, { method: 'PUT', body: { mode } })
  if (!on) {
    await choose('off')
    return
  }
  const { mode } = await requestJson<{ mode: RecordingMode }>(path, { method: 'DELETE' })
  if (mode === 'off') await choose('events')
}

export function getEvents(query: { camera?: string; before?: number; limit: number }): Promise<EventPage> {
  const parameters = new URLSearchParams({ limit: String(query.limit) })
  if (query.camera !== undefined) parameters.set('camera', query.camera)
  if (query.before !== undefined) parameters.set('before', String(query.before))
  return requestJson<EventPage>(`/api/events?${parameters}`)
}

export function getEvent(id: string): Promise<EventDetail> {
  return requestJson<EventDetail>(eventPath(id))
}

export async function getTimeline(camera: string, span: TimeSpan): Promise<Timeline> {
  const answer = await requestJson<TimelineAnswer>(`${cameraPath(camera)}/timeline?${spanQuery(span)}`)
  return { ...answer, events: answer.events.map(([id, kind, beginAt, endAt]) => ({ id, kind, beginAt, endAt })) }
}

/** Keeps an event and its recording until it is released, or releases it. */
export function protectEvent(id: string, kept: boolean): Promise<EventNotice> {
  return requestJson<EventNotice>(`${eventPath(id)}/protection`, { method: kept ? 'PUT' : 'DELETE' })
}

/** Groups of pictures that follow each other, as a source buffer takes them. */
export interface Groups extends Pick<StreamedAnswer, 'chunks' | 'cancel'> {
  /** Media type with the codecs. */
  type: string
  /** What they show. */
  span: TimeSpan
}

/**
 * The groups of pictures that show a time.
 * @param zeroMs what is 0 in their timeline, at least a minute before; ms since the Unix epoch
 * @throws PorchlightError `range_empty` where nothing is recorded there
 */
export async function getGroups(camera: string, span: TimeSpan, zeroMs: number, signal: AbortSignal): Promise<Groups> {
  const path = `${cameraPath(camera)}/clip/groups.mp4?${spanQuery(span)}&zero=${Math.round(zeroMs)}`
  const { headers, chunks, cancel } = await requestStream(path, { signal })
  const ms = (name: string) => Number(headers.get(name) ?? Number.NaN)
  const shows = { fromMs: ms('recorded-from'), toMs: ms('recorded-to') }
  return { type: headers.get('content-type') ?? '', span: shows, chunks, cancel }
}

/** Where the small pictures of a minute stand in their one JPEG: row by row, from the upper left corner. */
export interface SpritePlan {
  /** Of one picture, pixels. */
  width: number
  height: number
  columns: number
  /** Capture times, ms since the Unix epoch. */
  pictures: number[]
}

/** @param minute since the Unix epoch */
export async function getSprite(
  camera: string,
  minute: number,
  signal: AbortSignal,
): Promise<{ plan: SpritePlan; jpeg: Blob }> {
  const path = `${cameraPath(camera)}/sprites/${minute}`
  const [plan, response] = await Promise.all([
    requestJson<SpritePlan>(`${path}.json`, { signal }),
    request(`${path}.jpg`, { signal }),
  ])
  return { plan, jpeg: await response.blob() }
}

/** The playlist of a clip. @throws PorchlightError `range_empty` where nothing of it is recorded */
export async function getClipPlaylist(camera: string, span: TimeSpan): Promise<string> {
  return (await request(clipPlaylistPath(camera, span))).text()
}

/** Takes or renews the talk floor of a camera. @throws FloorTakenError */
export function takeFloor(camera: string, session: string): Promise<{ until: number; leaseMs: number }> {
  return requestJson(`${cameraPath(camera)}/talk`, { method: 'POST', body: { session } })
}

export async function releaseFloor(camera: string, session: string): Promise<void> {
  await request(`${cameraPath(camera)}/talk`, { method: 'DELETE', body: { session }, keepalive: true })
}

export async function getPushKey(): Promise<string> {
  return (await requestJson<{ publicKey: string }>('/api/push/key')).publicKey
}

export async function savePushSubscription(subscription: unknown): Promise<void> {
  await request('/api/push/subscriptions', { method: 'POST', body: subscription })
}

export async function deletePushSubscription(endpoint: string): Promise<void> {
  await request('/api/push/subscriptions', { method: 'DELETE', body: { endpoint } })
}
