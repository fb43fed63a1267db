import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { get } from 'node:http'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { AccessUnit } from '@porchlight/proto/media/access-unit.ts'
import { expect, onTestFinished, test } from 'vitest'
import type { SpritePlan } from '../../gateway/playback/sprites.ts'
import { videoUnits } from '../support/coded-samples.ts'
import { decode, ffmpegPath, probe } from '../support/decode.ts'
import { footageBody } from '../support/footage-body.ts'
import { tempDir } from '../support/temp-dir.ts'
import { TestGateway } from '../support/test-gateway.ts'

const run = promisify(execFile)
const startMs = 1_700_000_000_000
const camera = 'porch.door'
/** Recorded are eight seconds, nothing for this long, and four seconds more. */
const pauseMs = 60_000

interface Home {
  gateway: TestGateway
  /** A request about the camera as its owner. */
  ask(path: string, headers?: Record<string, string>, method?: string): Promise<Response>
  deliver(id: string, run: string, units: readonly AccessUnit[]): Promise<void>
}

async function home(): Promise<Home> {
  const gateway = await TestGateway.open(onTestFinished)
  const device = await gateway.enrol('porch')
  await device.come(onTestFinished)
  const owner = await gateway.signIn()
  const deliver = async (id: string, run: string, units: readonly AccessUnit[]) => {
    const pieces: Uint8Array[] = []
    for await (const piece of footageBody(run, units)()) pieces.push(piece)
    const body = Buffer.concat(pieces)
    const response = await fetch(`${gateway.url}/api/device/cameras/door/footage/${id}`, {
      method: 'PUT',
      headers: {
        authorization: `Bearer ${device.token()}`,
        'content-type': 'application/octet-stream',
        'content-range': `bytes 0-${body.length - 1}/${body.length}`,
      },
      body,
    })
    expect(await response.json()).toEqual({ offset: body.length, complete: true })
  }
  const ask: Home['ask'] = (path, headers = {}, method = 'GET') =>
    fetch(`${gateway.url}/api/cameras/${camera}/${path}`, { method, headers: { ...owner, ...headers } })
  return { gateway, ask, deliver }
}

async function recorded(bframes = 0): Promise<Home> {
  const made = await home()
  const units = await videoUnits({ seconds: 12, bframes })
  await made.deliver('delivery-1', 'boot-0001', units.slice(0, 200))
  const later = units.slice(200).map((unit) => ({ ...unit, captureMs: unit.captureMs + pauseMs }))
  await made.deliver('delivery-2', 'boot-0001', later)
  return made
}

const range = (from: number, to: number) => `from=${startMs + from}&to=${startMs + to}`
const bytesOf = async (response: Response) => Buffer.from(await response.arrayBuffer())
const digestOf = (bytes: Uint8Array) => `sha-256=:${createHash('sha256').update(bytes).digest('base64')}:`

async function decoded(bytes: Uint8Array) {
  const path = join(await tempDir(), 'clip.mp4')
  await writeFile(path, bytes)
  return { path, ...(await decode(path)) }
}

/** Downloads and cuts the connection when `stopAt` bytes have come. */
function cutDownload(url: string, headers: Record<string, string>, stopAt: number) {
  return new Promise<{ bytes: Buffer; etag: string }>((resolve, reject) => {
    const request = get(url, { headers }, (response) => {
      const chunks: Buffer[] = []
      let bytes = 0
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk)
        bytes += chunk.length
        if (bytes < stopAt) return
        resolve({ bytes: Buffer.concat(chunks), etag: String(response.headers.etag) })
        request.destroy()
      })
    })
    request.on('error', reject)
  })
}

test.each([0, 3])('a clip is the pictures of its time, pauses skipped (%i B-frames)', async (bframes) => {
  const { ask } = await recorded(bframes)
  const response = await ask(`clip.mp4?${range(3_000, 5_000)}`)
  expect(response.status).toBe(200)
  expect(response.headers.get('content-type')).toBe('video/mp4')
  expect(response.headers.get('content-disposition')).toContain('porch.door-2023-11-14T221323Z.mp4')
  const bytes = await bytesOf(response)
  expect(Number(response.headers.get('content-length'))).toBe(bytes.length)
  expect(response.headers.get('content-digest')).toBe(digestOf(bytes))
  expect(response.headers.get('repr-digest')).toBe(digestOf(bytes))
  const part = await decoded(bytes)
  expect(part.errors).toEqual([])
  expect(part.video).toHaveLength(50)
  // the same moments in ISO 8601 are the same clip
  const iso = (ms: number) => encodeURIComponent(new Date(startMs + ms).toISOString())
  const again = await ask(`clip.mp4?from=${iso(3_000)}&to=${iso(5_000)}`)
  expect((await bytesOf(again)).equals(bytes)).toBe(true)
  // over the pause: no picture twice, none missing, and none shown for a minute
  const over = await decoded(await bytesOf(await ask(`clip.mp4?${range(6_000, 3_600_000)}`)))
  expect(over.errors).toEqual([])
  expect(over.video.map(({ seconds }) => Math.round(seconds * 25))).toEqual(Array.from({ length: 150 }, (_, at) => at))
  expect(Number((await probe(over.path)).format.duration)).toBeCloseTo(6, 1)
})

test('a download that is cut off is resumed, and is then the whole, byte by byte', async () => {
  const { gateway, ask, deliver } = await recorded()
  const path = `clip.mp4?${range(0, 3_600_000)}`
  const whole = await bytesOf(await ask(path))
  const untouched = await ask(`clip.mp4?${range(0, 8_000)}`)
  const { cookie } = await gateway.signIn()
  const cut = await cutDownload(`${gateway.url}/api/cameras/${camera}/${path}`, { cookie }, whole.length / 3)
  expect(cut.bytes.length).toBeLessThan(whole.length)
  const rest = await ask(path, { range: `bytes=${cut.bytes.length}-`, 'if-range': cut.etag })
  expect(rest.status).toBe(206)
  expect(rest.headers.get('content-range')).toBe(`bytes ${cut.bytes.length}-${whole.length - 1}/${whole.length}`)
  const tail = await bytesOf(rest)
  expect(Buffer.concat([cut.bytes, tail]).equals(whole)).toBe(true)
  // RFC 9530: one is of what was sent, the other of the whole
  expect(rest.headers.get('content-digest')).toBe(digestOf(tail))
  expect(rest.headers.get('repr-digest')).toBe(digestOf(whole))
  const head = await ask(path, {}, 'HEAD')
  expect(head.headers.get('content-length')).toBe(String(whole.length))
  expect(head.headers.get('repr-digest')).toBe(digestOf(whole))
  expect((await ask(path, { 'if-none-match': cut.etag })).status).toBe(304)
  expect((await ask(path, { range: `bytes=${whole.length}-` })).status).toBe(416)
  // when the recording of that time changes, what was there is no beginning of the new one
  const more = await videoUnits({ seconds: 1, startMs: startMs + 30_000, firstFrame: 0 })
  await deliver('delivery-3', 'boot-0002', more)
  const changed = await ask(path, { range: `bytes=${cut.bytes.length}-`, 'if-range': cut.etag })
  expect(changed.status).toBe(200)
  expect((await decoded(await bytesOf(changed))).video).toHaveLength(325)
  // a time that it does not touch stays the same
  const still = await ask(`clip.mp4?${range(0, 8_000)}`)
  expect(still.headers.get('etag')).toBe(untouched.headers.get('etag'))
  expect((await bytesOf(still)).equals(await bytesOf(untouched))).toBe(true)
})

test('the gateway’s command writes the same bytes as the clip has, and the same digest', async () => {
  const { gateway, ask } = await recorded(3)
  const bytes = await bytesOf(await ask(`clip.mp4?${range(3_000, 3_600_000)}`))
  const path = join(await tempDir(), 'clip.mp4')
  const [from = '', to = ''] = [3_000, 3_600_000].map((ms) => new Date(startMs + ms).toISOString())
  const [said] = await gateway.cli('recordings', ['export', path], { camera: [camera], from: [from], to: [to] })
  expect((await readFile(path)).equals(bytes)).toBe(true)
  expect(said).toContain(createHash('sha256').update(bytes).digest('hex'))
})

test('a clip of VP8 is WebM, and says so; HLS cannot carry it, which is said with a code', async () => {
  const { ask, deliver } = await home()
  await deliver('delivery-1', 'boot-0001', await videoUnits({ codec: 'vp8', seconds: 4 }))
  const response = await ask(`clip.mp4?${range(1_000, 4_000)}`)
  expect(response.headers.get('content-type')).toBe('video/webm')
  expect(response.headers.get('content-disposition')).toContain('porch.door-2023-11-14T221321Z.webm')
  const groups = await ask(`clip/groups.mp4?${range(1_000, 2_000)}&zero=${startMs - 60_000}`)
  expect(groups.headers.get('content-type')).toBe('video/webm; codecs="vp8"')
  expect((await decoded(await bytesOf(groups))).errors).toEqual([])
  const bytes = await bytesOf(response)
  const middle = await ask(`clip.mp4?${range(1_000, 4_000)}`, { range: 'bytes=100-9999' })
  expect((await bytesOf(middle)).equals(bytes.subarray(100, 10_000))).toBe(true)
  const { video, errors } = await decoded(bytes)
  expect([video.length, errors]).toEqual([75, []])
  const hls = await ask(`clip.m3u8?${range(1_000, 4_000)}`)
  expect([hls.status, ((await hls.json()) as { code: string }).code]).toEqual([422, 'recording_no_hls'])
})

test.each([0, 3])('HLS of any time: each segment is there and decodes (%i B-frames)', async (bframes) => {
  const { ask } = await recorded(bframes)
  const response = await ask(`clip.m3u8?${range(5_500, 3_600_000)}`)
  expect(response.headers.get('content-type')).toContain('application/vnd.apple.mpegurl')
  const lines = (await response.text()).split('\n')
  const uris = lines.filter((line) => line !== '' && !line.startsWith('#'))
  expect(uris).toHaveLength(7)
  expect(lines).toContain('#EXT-X-PLAYLIST-TYPE:VOD')
  expect(lines).toContain('#EXT-X-ENDLIST')
  expect(lines).toContain('#EXT-X-PROGRAM-DATE-TIME:2023-11-14T22:13:25.000Z')
  // one break, before the segment that follows the pause
  expect(lines.flatMap((line, at) => (line === '#EXT-X-DISCONTINUITY' ? [at] : []))).toHaveLength(1)
  const after = lines.slice(lines.indexOf('#EXT-X-DISCONTINUITY')).find((line) => line !== '' && !line.startsWith('#'))
  expect(after).toBe(uris[3])
  const init = await bytesOf(await ask(/URI="([^"]+)"/.exec(lines.join('\n'))![1]!))
  const segments = await Promise.all(uris.map(async (uri) => bytesOf(await ask(uri))))
  const { video, errors } = await decoded(Buffer.concat([init, ...segments]))
  expect(errors).toEqual([])
  expect(video).toHaveLength(175)
  // a jump into the middle: a segment alone begins with a keyframe
  expect((await decoded(Buffer.concat([init, segments[4]!]))).video).toHaveLength(25)
})

/** What a player gets for a moment: header fields, and the first picture's time in it. */
async function groupsAt(ask: Home['ask'], from: number, to: number) {
  const zeroMs = startMs - 60_000
  const response = await ask(`clip/groups.mp4?${range(from, to)}&zero=${zeroMs}`)
  expect(response.status).toBe(200)
  const bytes = await bytesOf(response)
  expect(Number(response.headers.get('content-length'))).toBe(bytes.length)
  const { path, video, errors } = await decoded(bytes)
  expect(errors).toEqual([])
  const ms = (name: string) => Number(response.headers.get(name)) - startMs
  const shows = [ms('recorded-from'), ms('recorded-to')]
  // ffmpeg shows B-frames later by what it takes to put them in order
  const beginMs = Math.floor((Number((await probe(path)).streams[0]!.start_time) * 1_000) / 100) * 100 - 60_000
  return { type: response.headers.get('content-type'), shows, beginMs, pictures: video.length }
}

test.each([0, 3])(
  'a jump gets the groups of its moment, whole and at their own time (%i B-frames)',
  async (bframes) => {
    const { ask } = await recorded(bframes)
    // a group is a second long
    const at = await groupsAt(ask, 3_400, 3_401)
    expect(at).toMatchObject({ shows: [3_000, 4_000], beginMs: 3_000, pictures: 25 })
    expect(at.type).toMatch(/^video\/mp4; codecs="avc1\.[0-9a-f]{6}"$/)
    // what follows begins where that ended; a pause ends it early
    expect(await groupsAt(ask, 4_000, 14_000)).toMatchObject({ shows: [4_000, 8_000], beginMs: 4_000, pictures: 100 })
    // in the pause there is what comes after it
    const after = { shows: [68_000, 70_000], beginMs: 68_000, pictures: 50 }
    expect(await groupsAt(ask, 30_000, 69_500)).toMatchObject(after)
    const code = async (query: string) =>
      ((await (await ask(`clip/groups.mp4?${query}`)).json()) as { code: string }).code
    expect(await code(`${range(9_500, 20_000)}&zero=0`)).toBe('range_empty')
    expect(await code(`${range(3_000, 4_000)}&zero=${startMs}`)).toBe('request_invalid')
    expect(await code(`${range(3_000, 64_000)}&zero=0`)).toBe('range_too_long')
  },
)

test('the timeline of a day says what there is', async () => {
  const { ask } = await recorded()
  const response = await ask('timeline?from=2023-11-14T00:00:00Z&to=2023-11-15T00:00:00Z')
  expect(response.status).toBe(200)
  expect(await response.json()).toMatchObject({
    recorded: [
      [startMs, startMs + 8_000],
      [startMs + 68_000, startMs + 72_000],
    ],
    ...{ gaps: [], events: [], eventsLeftOut: 0 },
  })
})

/** Mean brightness of each picture of a sprite, row by row. */
async function brightness(jpeg: Uint8Array, plan: SpritePlan, rows: number) {
  const path = join(await tempDir(), 'sprite.jpg')
  await writeFile(path, jpeg)
  const { streams } = await probe(path)
  const { width, height, columns } = plan
  expect(streams[0]).toMatchObject({ codec_name: 'mjpeg', width: width * columns, height: height * rows })
  const args = ['-v', 'error', '-i', path, '-vf', `scale=${columns}:${rows}:flags=area,format=gray`]
  const { stdout } = await run(ffmpegPath(), [...args, '-f', 'rawvideo', '-'], { encoding: 'buffer' })
  return [...stdout]
}

test('small pictures of a minute stand where the plan says, and are kept', async () => {
  const { gateway, ask, deliver } = await recorded(3)
  const minute = Math.floor(startMs / 60_000)
  const plan = (await (await ask(`sprites/${minute}.json`)).json()) as SpritePlan
  expect(plan).toEqual({ width: 160, height: 90, columns: 4, pictures: [startMs, startMs + 5_000] })
  const response = await ask(`sprites/${minute}.jpg`)
  expect(response.headers.get('content-type')).toBe('image/jpeg')
  const jpeg = await bytesOf(response)
  const [first = 0, second = 0, ...empty] = await brightness(jpeg, plan, 1)
  // two pictures, and black where there is none
  expect(Math.min(first, second)).toBeGreaterThan(40)
  expect(Math.max(...empty)).toBeLessThan(20)
  const kept = join(gateway.directory, 'recordings', '.sprites')
  expect(await readdir(kept)).toHaveLength(1)
  expect((await bytesOf(await ask(`sprites/${minute}.jpg`))).equals(jpeg)).toBe(true)
  // what comes late is seen, too
  await deliver('delivery-3', 'boot-0002', await videoUnits({ seconds: 10, bframes: 3, startMs: startMs + 10_000 }))
  const more = await Promise.all([1, 2].map(async () => bytesOf(await ask(`sprites/${minute}.jpg`))))
  expect(more[0]!.equals(more[1]!)).toBe(true)
  expect((await brightness(more[0]!, plan, 1)).every((mean) => mean > 40)).toBe(true)
  expect(await readdir(kept)).toHaveLength(2)
})

test('what cannot be answered is said with a code', async () => {
  const { gateway, ask, deliver } = await recorded()
  const code = async (path: string, headers?: Record<string, string>) => {
    const response = await ask(path, headers)
    return [response.status, ((await response.json()) as { code: string }).code]
  }
  const noGroups = await fetch(`${gateway.url}/api/cameras/${camera}/clip/groups.mp4?${range(0, 1)}&zero=0`)
  expect(noGroups.status).toBe(401)
  for (const name of ['clip.mp4', 'clip.m3u8', 'timeline']) {
    expect(await code(name)).toEqual([400, 'request_invalid'])
    expect(await code(`${name}?from=yesterday&to=1`)).toEqual([400, 'request_invalid'])
    expect(await code(`${name}?from=2023-11-14T22:13:20&to=1`)).toEqual([400, 'request_invalid'])
    expect(await code(`${name}?${range(5_000, 5_000)}`)).toEqual([400, 'range_invalid'])
    expect(await code(`${name}?${range(0, 48 * 3_600_000)}`)).toEqual([400, 'range_too_long'])
    const url = `${gateway.url}/api/cameras/${camera}/${name}?${range(0, 9_000)}`
    expect((await fetch(url)).status).toBe(401)
    const [token = ''] = await gateway.cli('token', ['script'], { camera: ['porch.garden'] })
    expect((await fetch(url, { headers: { authorization: `Bearer ${token}` } })).status).toBe(403)
  }
  for (const name of ['clip.mp4', 'clip.m3u8']) {
    expect(await code(`${name}?${range(9_000, 60_000)}`)).toEqual([404, 'range_empty'])
  }
  for (const name of ['1.jpg', '1.json']) {
    expect(await code(`sprites/${name}`)).toEqual([404, 'range_empty'])
    expect((await fetch(`${gateway.url}/api/cameras/${camera}/sprites/${name}`)).status).toBe(401)
  }
  expect(await code('sprites/-1.jpg')).toEqual([400, 'request_invalid'])
  expect(await code(`clip/parts/9999.m4s?${range(0, 9_000)}`)).toEqual([404, 'recording_not_found'])
  expect(await code(`clip/init/${'0'.repeat(64)}.mp4`)).toEqual([404, 'recording_not_found'])
  // one file cannot hold two codecs; HLS can
  await deliver('delivery-4', 'boot-0002', await videoUnits({ codec: 'vp9', seconds: 1, startMs: startMs + 90_000 }))
  expect(await code(`clip.mp4?${range(0, 120_000)}`)).toEqual([422, 'recording_mixed'])
  expect((await ask(`clip.mp4?${range(80_000, 120_000)}`)).status).toBe(200)
  const playlist = await (await ask(`clip.m3u8?${range(0, 120_000)}`)).text()
  expect(playlist.match(/#EXT-X-MAP/g)).toHaveLength(2)
})
