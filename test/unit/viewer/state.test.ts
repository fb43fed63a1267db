import type { EventNotice, FloorNotice } from '@porchlight/proto/messages/notice.ts'
import { expect, test } from 'vitest'
import { errorOf, FloorTakenError, sentenceOfCode } from '../../../viewer/src/api/request.ts'
import { backoffMs } from '../../../viewer/src/live/backoff.ts'
import { liveSentence } from '../../../viewer/src/live/live-sentence.ts'
import { playbackWay } from '../../../viewer/src/playback/playback-way.ts'
import { hrefOf, parseRoute, tokenIn } from '../../../viewer/src/route.ts'
import { cameraStatus } from '../../../viewer/src/state/camera-status.ts'
import { merge } from '../../../viewer/src/state/merge-events.ts'
import { isNewRing, ringFreshMs } from '../../../viewer/src/state/ring.ts'
import { ago, dayOf, lasting } from '../../../viewer/src/state/time.ts'
import { otherTalker } from '../../../viewer/src/talk/other-talker.ts'
import { notificationOf, targetOf } from '../../../viewer/sw/notification.ts'

const now = Date.UTC(2026, 10, 20, 12)

test('a camera is live only while its device is online and the page hears the gateway', () => {
  const camera: Parameters<typeof cameraStatus>[0] = {
    online: true,
    state: 'live',
    lastPictureAt: now - 180_000,
  }
  expect(cameraStatus(camera, now, true)).toEqual({ state: 'live', label: 'Live', detail: undefined })
  expect(cameraStatus(camera, now, false).state).toBe('unknown')
  expect(cameraStatus({ ...camera, recordingMode: 'off' }, now, true)).toMatchObject({ state: 'off', label: 'Off' })
  expect(cameraStatus({ ...camera, online: false }, now, true)).toEqual({
    state: 'offline',
    label: 'Offline',
    detail: 'Last picture 3 min ago',
  })
  expect(cameraStatus({ ...camera, state: 'failed', error: 'camera_auth' }, now, true)).toEqual({
    state: 'failed',
    label: 'Not working',
    detail: 'The camera refuses the user name or the password.',
  })
  expect(cameraStatus({ ...camera, state: 'connecting', lastPictureAt: null }, now, true).label).toBe('Connecting')
})

test('a picture that is not live says why, how old it is, and when it is tried again', () => {
  expect(liveSentence({ state: 'live' }, now, now)).toBeUndefined()
  const waiting = { state: 'reconnecting', error: 'picture_frozen', retryAt: now + 2_400 } as const
  expect(liveSentence(waiting, now - 5_000, now)).toEqual({
    title: 'Trying again in 3 s',
    detail: 'The picture has stopped moving. Last picture 5 s ago',
  })
  expect(liveSentence({ state: 'off', error: 'camera_off' }, now, now)?.title).toBe('Camera is off')
  expect(liveSentence({ state: 'offline' }, undefined, now)?.detail).toBe('No picture has come yet.')
  expect(liveSentence({ state: 'failed', error: 'codec_unsupported' }, undefined, now)?.detail).toContain('H.264')
})

test('full jitter: any wait from nothing to the bound, which doubles and is bounded', () => {
  expect(backoffMs(0, () => 0)).toBe(0)
  expect([0, 1, 2, 3, 4, 5, 99].map((attempt) => backoffMs(attempt, () => 1))).toEqual([
    800, 1_600, 3_200, 6_400, 12_800, 15_000, 15_000,
  ])
})

test.each([
  ['#/', { page: 'cameras' }],
  ['', { page: 'cameras' }],
  ['#/nowhere', { page: 'cameras' }],
  ['#/camera/home.door', { page: 'camera', id: 'home.door' }],
  ['#/camera/', { page: 'cameras' }],
  ['#/event/a%2Fb', { page: 'event', id: 'a/b' }],
  ['#/event/%E0%A4%A', { page: 'event', id: '%E0%A4%A' }],
  ['#/events', { page: 'events' }],
  ['#/sign-in?token=abc', { page: 'sign-in', token: 'abc' }],
  ['#/sign-in', { page: 'sign-in', token: undefined }],
])('the address %s is a page', (hash, route) => {
  expect(parseRoute(hash)).toEqual(route)
})

test('links lead back to their page', () => {
  for (const route of [{ page: 'camera', id: 'a.b' } as const, { page: 'event', id: 'x/y' } as const])
    expect(parseRoute(hrefOf(route))).toEqual(route)
})

test('a sign-in link may be pasted whole or as its token', () => {
  expect(tokenIn(' https://porchlight.local:4880/#/sign-in?token=abcdefgh ')).toBe('abcdefgh')
  expect(tokenIn('abcdefgh-_')).toBe('abcdefgh-_')
  expect(tokenIn('hello there')).toBeUndefined()
  expect(tokenIn('https://example.org/#/events')).toBeUndefined()
})

test('somebody else holds the floor until the lease runs out; we ourselves never count', () => {
  const floor: FloorNotice = {
    type: 'floor',
    camera: 'home.door',
    holder: { session: 's1', name: 'Bob' },
    until: now + 3_000,
  }
  expect(otherTalker(floor, 's2', now)).toBe('Bob')
  expect(otherTalker(floor, 's1', now)).toBeUndefined()
  expect(otherTalker(floor, 's2', now + 6_000)).toBeUndefined()
  expect(otherTalker({ ...floor, holder: null }, 's2', now)).toBeUndefined()
  expect(otherTalker(undefined, undefined, now)).toBeUndefined()
})

const event = (eventId: string, begin: number, more: Partial<EventNotice> = {}): EventNotice => ({
  type: 'event',
  eventId,
  camera: 'home.door',
  cameraTitle: 'Front door',
  kind: 'ring',
  begin,
  end: null,
  hasStill: false,
  protected: false,
  ...more,
})

test('a ring opens the picture once, and only while it is fresh', () => {
  const known = new Set<string>()
  expect(isNewRing(event('a', now), now, known)).toBe(true)
  expect(isNewRing(event('a', now), now, known)).toBe(false)
  expect(isNewRing(event('b', now - ringFreshMs), now, known)).toBe(false)
  expect(isNewRing(event('c', now, { kind: 'motion' }), now, known)).toBe(false)
})

test('newer facts of an event replace older ones; the newest event comes first', () => {
  const merged = merge([event('b', 2), event('a', 1)], [event('a', 1, { end: 9 }), event('c', 3)])
  expect(merged.map(({ eventId, end }) => [eventId, end])).toEqual([
    ['c', null],
    ['b', null],
    ['a', 9],
  ])
})

test.each([
  ['complete', 'Apple Computer, Inc.', true, true, 'mp4'],
  ['growing', 'Apple Computer, Inc.', true, true, 'native-hls'],
  ['growing', 'Google Inc.', true, true, 'hls.js'],
  ['growing', '', false, true, 'hls.js'],
  ['growing', '', true, false, 'native-hls'],
  ['growing', '', false, false, 'mp4'],
  ['none', '', true, true, 'none'],
] as const)(
  'a %s recording on a browser of “%s” (HLS %s, MSE %s) is played by %s',
  (state, vendor, nativeHls, mse, way) => {
    expect(playbackWay(state, { vendor, nativeHls, mse })).toBe(way)
  },
)

test('times are said as people say them', () => {
  expect([0, 59_000, 61_000, 7_200_000, 3 * 86_400_000].map(ago)).toEqual([
    '0 s ago',
    '59 s ago',
    '1 min ago',
    '2 h ago',
    '3 days ago',
  ])
  expect([8_000, 65_000].map(lasting)).toEqual(['8 s', '1:05 min'])
  expect([dayOf(now, now), dayOf(now - 86_400_000, now)]).toEqual(['Today', 'Yesterday'])
})

test('problems become coded errors; what is no problem is told by its status', async () => {
  const answer = (status: number, body: unknown) => errorOf(new Response(JSON.stringify(body), { status }))
  expect(await answer(406, { code: 'codec_unsupported', detail: 'h265' })).toMatchObject({ code: 'codec_unsupported' })
  const taken = await answer(409, { code: 'floor_taken', holder: { session: 's', name: 'Bob' } })
  expect(taken).toBeInstanceOf(FloorTakenError)
  expect(taken).toMatchObject({ holder: 'Bob' })
  expect((await errorOf(new Response('<html>', { status: 502 }))).code).toBe('gateway_unreachable')
  expect((await answer(401, {})).code).toBe('sign_in_required')
  expect((await answer(418, { code: 'of_a_newer_gateway' })).code).toBe('internal')
  expect(sentenceOfCode('of_a_newer_gateway')).toBe('of_a_newer_gateway')
})

test('a push message becomes a notification, and what cannot be read still says something', () => {
  const text = JSON.stringify({
    title: 'Front door',
    body: 'Somebody is at the door.',
    tag: 'e1',
    kind: 'ring',
    url: '/#/camera/home.door',
  })
  const { title, options } = notificationOf(text)
  expect(title).toBe('Front door')
  expect(options).toMatchObject({ body: 'Somebody is at the door.', tag: 'e1', requireInteraction: true })
  expect(targetOf(options.data)).toBe('/#/camera/home.door')
  expect(targetOf({ url: 'https://elsewhere.example/' })).toBe('/')
  expect(notificationOf(undefined).title).toBe('Porchlight')
  expect(notificationOf('{').options.body).not.toBe('')
})
