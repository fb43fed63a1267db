import { errors, PorchlightError } from '@porchlight/proto/errors.ts'
import { goneReasons, maxFrameRanges } from '@porchlight/proto/frames.ts'
import fc from 'fast-check'
import { expect, onTestFinished, test } from 'vitest'
import { type FrameDeps, frameRoutes } from '../../../../../gateway/api/routes/frames.ts'
import type { Subject } from '../../../../../gateway/auth/subject.ts'
import { credential } from '../../../../support/credential.ts'
import { routeApp } from '../../../../support/route-app.ts'

const run = 'boot-0001'
const path = '/api/device/cameras/front/frames'

function house(missing: [number, number][] = []) {
  const calls: unknown[][] = []
  const recorder: FrameDeps['recorder'] = {
    missingFrames: async (...asked) => {
      calls.push(asked)
      return missing
    },
    framesGone: async (...told) => void calls.push(told),
  }
  const get = (id: string) => {
    if (id !== 'door.front') throw new PorchlightError('camera_not_found')
  }
  const asking: { subject: Subject } = { subject: { kind: 'device', device: 'door' } }
  const app = routeApp(asking)
  frameRoutes(app, { recorder, cameras: { get } as FrameDeps['cameras'] })
  onTestFinished(() => app.close())
  const ask = (query: string, url = path) => app.inject({ url: `${url}?${query}` })
  const tell = (payload: unknown, url = path) =>
    app.inject({
      ...{ method: 'POST', url: `${url}/gone`, payload: JSON.stringify(payload) },
      headers: { 'content-type': 'application/json' },
    })
  return { asking, ask, tell, calls }
}

test('a device asks what is missing of its camera, and says what will not come', async () => {
  const { ask, tell, calls } = house([[5, 7]])
  const answer = await ask(`run=${run}&from=0&to=4294967295`)
  expect([answer.statusCode, answer.json()]).toEqual([200, { missing: [[5, 7]] }])
  const told = await tell({
    run,
    ranges: [
      [5, 6],
      [7, 7],
    ],
    reason: 'too_old',
  })
  expect([told.statusCode, told.body]).toEqual([204, ''])
  expect(calls).toEqual([
    ['door.front', run, 0, 0xffff_ffff],
    [
      'door.front',
      run,
      [
        [5, 6],
        [7, 7],
      ],
      'too_old',
    ],
  ])
})

test('more holes than an answer holds: the last range reaches to the end', async () => {
  const holes = Array.from({ length: 300 }, (_, index): [number, number] => [index * 10, index * 10 + 4])
  const { missing } = (await house(holes).ask(`run=${run}&from=0&to=9000`)).json()
  expect(missing).toHaveLength(maxFrameRanges)
  expect(missing.slice(-2)).toEqual([
    [2_540, 2_544],
    [2_550, 9_000],
  ])
})

test('of another camera, by nobody or by a person: refused, and nothing happens', async () => {
  const { asking, ask, tell, calls } = house()
  const report = { run, ranges: [[1, 2]], reason: 'not_kept' }
  const query = `run=${run}&from=1&to=2`
  const both = async (url?: string) => [(await ask(query, url)).json().code, (await tell(report, url)).json().code]
  expect(await both('/api/device/cameras/back/frames')).toEqual(['camera_not_found', 'camera_not_found'])
  expect(await both('/api/device/cameras/..%2Ffront/frames')).toEqual(['request_invalid', 'request_invalid'])
  asking.subject = { kind: 'device', device: 'shed' }
  expect(await both()).toEqual(['camera_not_found', 'camera_not_found'])
  asking.subject = { kind: 'user', userId: 'u', name: 'Ada', role: 'owner', credential }
  expect(await both()).toEqual(['sign_in_required', 'sign_in_required'])
  asking.subject = { kind: 'nobody' }
  expect(await both()).toEqual(['sign_in_required', 'sign_in_required'])
  expect(calls).toEqual([])
})

test('whatever is asked is answered or refused with a code, and only what is valid reaches the recorder', async () => {
  const { ask, calls } = house()
  const number = fc.oneof(
    fc.nat().map(String),
    fc.string({ maxLength: 12 }),
    fc.constantFrom('-1', '1e3', '', '4294967296'),
  )
  await fc.assert(
    fc.asyncProperty(fc.oneof(fc.constant(run), fc.string({ maxLength: 70 })), number, number, async (of, from, to) => {
      calls.length = 0
      const response = await ask(String(new URLSearchParams({ run: of, from, to })))
      if (response.statusCode !== 200) {
        expect(response.statusCode).toBe(400)
        expect(response.json().code).toBe('request_invalid')
        expect(calls).toEqual([])
      } else expect(calls).toEqual([['door.front', of, Number(from), Number(to)]])
    }),
  )
})

test('whatever is told is taken or refused with a code, and only what is valid reaches the recorder', async () => {
  const { tell, calls } = house()
  const range = fc.array(fc.oneof(fc.nat(), fc.integer(), fc.double()), { minLength: 1, maxLength: 3 })
  const report = fc.record(
    {
      run: fc.oneof(fc.constant(run), fc.string()),
      ranges: fc.oneof(fc.array(range, { maxLength: 300 }), fc.anything()),
      reason: fc.oneof(fc.constantFrom(...goneReasons.options), fc.string()),
    },
    { requiredKeys: [] },
  )
  await fc.assert(
    fc.asyncProperty(fc.oneof(report, fc.jsonValue()), async (payload) => {
      calls.length = 0
      const response = await tell(payload)
      if (response.statusCode === 204) {
        const [, , ranges] = calls[0] as [string, string, [number, number][]]
        for (const [from, to] of ranges) expect(from >= 0 && from <= to && Number.isInteger(from + to)).toBe(true)
        return
      }
      expect(response.statusCode).toBe(400)
      expect(Object.keys(errors)).toContain(response.json().code)
      expect(calls).toEqual([])
    }),
  )
})
