import { PorchlightError } from '@porchlight/proto/errors.ts'
import type { CameraState } from '@porchlight/proto/messages/cameras.ts'
import { describe, expect, it } from 'vitest'
import { judgeCamera, judgeEngine, judgeLink, judgeMedia, judgeSpool } from '../../../../device/doctor/agent-view.ts'
import { bad, good, runChecks } from '../../../../device/doctor/check.ts'
import { judgeClock } from '../../../../device/doctor/clock.ts'

const camera: CameraState = {
  camera: 'door',
  title: 'Door',
  kind: 'doorbell',
  state: 'live',
  video: { codec: 'h264', width: 1280, height: 720 },
  audio: 'pcmu',
  talk: 'pcmu',
  motion: 'on',
  notes: [],
}

describe('runChecks', () => {
  it('says a line for each finding, with what to do, and goes on after a failure', async () => {
    const lines: string[] = []
    const checks = [
      { name: 'one', run: async () => good('well') },
      { name: 'two', run: async () => Promise.reject(new PorchlightError('ffmpeg_missing')) },
      { name: 'three', run: async () => [good('a'), bad('b', 'do this')] },
    ]
    expect(await runChecks(checks, (line) => lines.push(line))).toBe(false)
    expect(lines).toEqual([
      '✓ one: well',
      expect.stringMatching(/^✗ two: ffmpeg_missing\n {2}→ .*apt install ffmpeg/),
      '✓ three: a',
      '✗ three: b\n  → do this',
    ])
    expect(await runChecks(checks.slice(0, 1), () => undefined)).toBe(true)
  })
})

describe('spool', () => {
  const view = { online: true, engine: 'werift', cameras: [] }

  it('says what waits on the disk, and what to do where the disk takes nothing', () => {
    expect(judgeSpool(view)).toMatchObject({ ok: true, text: expect.stringContaining('switched off') })
    expect(judgeSpool({ ...view, spool: { bytes: 0, files: 0 } })).toEqual(good('nothing waits'))
    expect(judgeSpool({ ...view, spool: { bytes: 12_400_000, files: 3 } }).text).toBe(
      '3 deliveries wait for the gateway, 12 MB',
    )
    expect(judgeSpool({ ...view, spool: { bytes: 0, files: 0, error: 'spool_unwritable' } })).toMatchObject({
      ok: false,
      advice: expect.stringContaining('Make room'),
    })
  })
})

describe('clock', () => {
  const now = Date.parse('2026-11-20T12:00:00.500Z')
  it.each([
    ['Fri, 20 Nov 2026 12:00:00 GMT', true],
    ['Fri, 20 Nov 2026 12:00:04 GMT', true],
    ['Fri, 20 Nov 2026 11:59:50 GMT', false],
    ['Thu, 01 Jan 1970 00:00:10 GMT', false],
    ['whenever', false],
    [undefined, false],
  ])('%s: %s', (date, ok) => expect(judgeClock(date, now - 20, now + 20).ok).toBe(ok))
})

describe('judgements', () => {
  const engine = 'node-datachannel'

  it('of the engine', () => {
    const judged = (serving: string, wanted: 'auto' | 'werift') =>
      judgeEngine({ online: true, engine: serving, cameras: [] }, wanted)
    expect(judged(engine, 'auto')).toEqual(good('node-datachannel'))
    expect(judged('werift', 'werift')).toEqual(good('werift'))
    expect(judged('werift', 'auto')).toMatchObject({ ok: true, text: expect.stringContaining('does not load') })
  })

  it('of a camera', () => {
    expect(judgeCamera(camera).every((finding) => finding.ok)).toBe(true)
    const refused = judgeCamera({ ...camera, state: 'failed', error: 'camera_auth' })
    expect(refused).toMatchObject([{ ok: false, text: 'door: camera_auth' }])
    expect(refused[0]?.advice).toContain('password')
    expect(judgeCamera({ ...camera, notes: ['camera_bframes'] }).at(-1)).toMatchObject({ ok: false })
    expect(judgeCamera({ ...camera, video: undefined }).at(-1)?.advice).toContain('keyframe')
    expect(judgeCamera({ ...camera, video: { ...camera.video!, codec: 'h265' } }).at(-1)).toMatchObject({ ok: false })
  })

  it('of the link', () => {
    expect(judgeLink({ online: true, engine, cameras: [] }, 'mqtt://b').ok).toBe(true)
    expect(judgeLink({ online: false, engine, error: 'broker_auth', cameras: [] }, 'mqtt://b').text).toBe(
      'mqtt://b: broker_auth',
    )
  })

  it('of the media path', () => {
    const view = (session?: { live: boolean; ended?: string }) => ({
      online: true,
      engine,
      cameras: [{ ...camera, ...(session && { session }) }],
    })
    expect(judgeMedia(view()).ok).toBe(false)
    expect(judgeMedia(view({ live: true, ended: 'peer_closed' })).ok).toBe(true)
    expect(judgeMedia(view({ live: false, ended: 'session_timeout' })).advice).toContain('UDP')
    expect(judgeMedia(view({ live: false, ended: 'signature_invalid' })).advice).toContain('prove')
  })
})
