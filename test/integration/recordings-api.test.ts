import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PorchlightError } from '@porchlight/proto/errors.ts'
import type { FastifyInstance } from 'fastify'
import { expect, onTestFinished, test } from 'vitest'
import { type FootageDeps, footageRoutes } from '../../gateway/api/routes/footage.ts'
import { recordingRoutes } from '../../gateway/api/routes/recordings.ts'
import type { Subject } from '../../gateway/auth/subject.ts'
import { Playback } from '../../gateway/playback/playback.ts'
import { Recorder } from '../../gateway/recorder/recorder.ts'
import { videoUnits } from '../support/coded-samples.ts'
import { credential } from '../support/credential.ts'
import { footageBody } from '../support/footage-body.ts'
import { memoryIndex } from '../support/memory-index.ts'
import { quietLog } from '../support/quiet-log.ts'
import { routeApp } from '../support/route-app.ts'
import { ScriptedSfu } from '../support/scripted-sfu.ts'
import { canMount, smallDisk } from '../support/small-disk.ts'
import { tempDir } from '../support/temp-dir.ts'

const startMs = 1_700_000_000_000
const owner: Subject = { kind: 'user', userId: 'u', name: 'Ada', role: 'owner', credential }
const device: Subject = { kind: 'device', device: 'door' }
const eventId = 'event-0001'

async function house(subject: Subject) {
  const db = await memoryIndex()
  const recordingsDirectory = join(await tempDir(), 'recordings')
  const askFootage = () => undefined
  const sfu = new ScriptedSfu()
  const recorder = new Recorder({
    ...{ db, directory: recordingsDirectory, sfu, ffmpeg: undefined, log: quietLog, now: Date.now, askFootage },
  })
  onTestFinished(() => recorder.close())
  const isActive = () => false
  const playback = new Playback({ db, directory: recordingsDirectory, isActive, now: Date.now })
  const get = (id: string) => {
    if (id !== 'door.front') throw new PorchlightError('camera_not_found')
  }
  const cameras = { get } as FootageDeps['cameras']
  const asking = { subject }
  const app = routeApp(asking)
  recordingRoutes(app, { playback, db, recordingsDirectory })
  await footageRoutes(app, { recorder, cameras })
  onTestFinished(() => app.close())
  await db
    .insertInto('events')
    .values({
      ...{ id: eventId, camera: 'door.front', kind: 'ring', begin_at: startMs, end_at: startMs + 3_000 },
      ...{ record_from: startMs, record_to: startMs + 3_000, still_path: null },
    })
    .execute()
  return { app, db, asking, recordingsDirectory }
}

async function body(): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  for await (const piece of footageBody('boot-0001', await videoUnits())()) pieces.push(piece)
  return Buffer.concat(pieces)
}

function put(app: FastifyInstance, bytes: Buffer, range: string, camera = 'front', id = 'delivery-1') {
  return app.inject({
    method: 'PUT',
    url: `/api/device/cameras/${camera}/footage/${id}`,
    headers: { 'content-type': 'application/octet-stream', 'content-range': range },
    payload: bytes,
  })
}

test('a delivery comes in pieces, is resumed where it ended, and then plays', async () => {
  const { app, asking } = await house(device)
  const bytes = await body()
  const half = Math.floor(bytes.length / 2)
  const first = await put(app, bytes.subarray(0, half), `bytes 0-${half - 1}/*`)
  expect([first.statusCode, first.json()]).toEqual([200, { offset: half, complete: false }])
  const wrong = await put(app, bytes.subarray(5), `bytes 5-${bytes.length - 1}/${bytes.length}`)
  expect(wrong.statusCode).toBe(409)
  expect(wrong.json()).toMatchObject({ code: 'footage_offset', offset: half })
  const state = await app.inject({ url: '/api/device/cameras/front/footage/delivery-1' })
  expect(state.json()).toEqual({ offset: half, complete: false })
  const last = await put(app, bytes.subarray(half), `bytes ${half}-${bytes.length - 1}/${bytes.length}`)
  expect([last.statusCode, last.json()]).toEqual([200, { offset: bytes.length, complete: true }])
  const again = await app.inject({ url: '/api/device/cameras/front/footage/delivery-1' })
  expect(again.json()).toEqual({ offset: bytes.length, complete: true })

  asking.subject = owner
  const url = `/api/events/${eventId}`
  const whole = await app.inject({ url: `${url}/recording.mp4` })
  expect(whole.statusCode).toBe(200)
  expect(whole.headers).toMatchObject({ 'content-type': 'video/mp4', 'accept-ranges': 'bytes' })
  expect(whole.rawPayload.length).toBe(Number(whole.headers['content-length']))
  const size = whole.rawPayload.length
  const range = await app.inject({ url: `${url}/recording.mp4`, headers: { range: 'bytes=1000-5999' } })
  expect(range.statusCode).toBe(206)
  expect(range.headers['content-range']).toBe(`bytes 1000-5999/${size}`)
  expect(range.rawPayload.equals(whole.rawPayload.subarray(1_000, 6_000))).toBe(true)
  const beyond = await app.inject({ url: `${url}/recording.mp4`, headers: { range: `bytes=${size}-` } })
  expect([beyond.statusCode, beyond.headers['content-range']]).toEqual([416, `bytes */${size}`])
  const stale = { range: 'bytes=0-9', 'if-range': '"other"' }
  expect((await app.inject({ url: `${url}/recording.mp4`, headers: stale })).statusCode).toBe(200)
  const head = await app.inject({ method: 'HEAD', url: `${url}/recording.mp4` })
  expect([head.statusCode, head.headers['content-length']]).toEqual([200, String(size)])

  const playlist = (await app.inject({ url: `${url}/recording.m3u8` })).body
  const init = /URI="(init\/[^"]+)"/.exec(playlist)![1]!
  const part = /parts\/\d+\.m4s/.exec(playlist)![0]
  expect((await app.inject({ url: `${url}/${init}` })).rawPayload.toString('latin1', 4, 8)).toBe('ftyp')
  expect((await app.inject({ url: `${url}/${part}` })).rawPayload.toString('latin1', 4, 8)).toBe('moof')
})

test.each<[string, string, string, string, number, string]>([
  ['a camera that is not there', 'bytes 0-9/10', 'back', 'delivery-1', 404, 'camera_not_found'],
  ['a name that is none', 'bytes 0-9/10', 'Front', 'delivery-1', 400, 'request_invalid'],
  ['a range that is none', 'bytes 9-0/10', 'front', 'delivery-1', 400, 'request_invalid'],
  ['more than allowed', 'bytes 0-9/99999999', 'front', 'delivery-1', 413, 'message_too_large'],
  ['what is no footage', 'bytes 0-9/10', 'front', 'delivery-1', 400, 'footage_invalid'],
  ['more bytes than announced', 'bytes 0-4/10', 'front', 'delivery-1', 400, 'request_invalid'],
])('%s is refused with a code', async (_, range, camera, id, status, code) => {
  const { app } = await house(device)
  const response = await put(app, Buffer.from('0123456789'), range, camera, id)
  expect([response.statusCode, response.json().code]).toEqual([status, code])
})

test('only a device delivers, and only who may see the camera sees its recordings', async () => {
  const { app, asking } = await house(owner)
  expect((await put(app, Buffer.from('0123456789'), 'bytes 0-9/10')).json().code).toBe('sign_in_required')
  for (const name of ['recording.mp4', 'recording.m3u8', 'still.jpg', 'parts/1.m4s', `init/${'0'.repeat(64)}.mp4`]) {
    asking.subject = { kind: 'nobody' }
    expect((await app.inject({ url: `/api/events/${eventId}/${name}` })).statusCode).toBe(401)
    asking.subject = { kind: 'token', cameras: ['door.back'], name: 'script', credential }
    expect((await app.inject({ url: `/api/events/${eventId}/${name}` })).statusCode).toBe(403)
    asking.subject = owner
    expect((await app.inject({ url: `/api/events/${eventId}/${name}` })).statusCode).toBe(404)
    expect((await app.inject({ url: `/api/events/event-9999/${name}` })).json().code).toBe('event_not_found')
  }
})

test('a recordings directory that cannot be written is said to the device, which may try again', async () => {
  const { app, recordingsDirectory } = await house(device)
  await writeFile(recordingsDirectory, 'a file')
  const response = await put(app, Buffer.from('0123456789'), 'bytes 0-9/10')
  expect([response.statusCode, response.json().code]).toEqual([507, 'disk_failed'])
})

test.skipIf(!canMount())('a disk that is read-only or full is said to the device, and loses nothing', async () => {
  const { app, asking, recordingsDirectory } = await house(device)
  const bytes = await body()
  const disk = smallDisk(recordingsDirectory, Math.floor(bytes.length / 2 / 1024))
  onTestFinished(() => disk.close())
  const whole = `bytes 0-${bytes.length - 1}/${bytes.length}`
  disk.readOnly()
  const refused = await put(app, bytes, whole)
  expect([refused.statusCode, refused.json().code]).toEqual([507, 'disk_readonly'])
  disk.writable()
  const full = await put(app, bytes, whole)
  expect([full.statusCode, full.json().code]).toEqual([507, 'disk_full'])
  disk.resize(4_096)
  const kept = (await app.inject({ url: '/api/device/cameras/front/footage/delivery-1' })).json().offset
  const rest = () => put(app, bytes.subarray(kept), `bytes ${kept}-${bytes.length - 1}/${bytes.length}`)
  expect((await rest()).json()).toEqual({ offset: bytes.length, complete: true })
  asking.subject = owner
  expect((await app.inject({ url: `/api/events/${eventId}/recording.mp4` })).statusCode).toBe(200)
})
