import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type FingerPicture, FingerPictures } from '../../../../viewer/src/earlier/finger-pictures.ts'
import { fakeClock } from '../fake-clock.ts'

const minuteMs = 60_000
const plan = { width: 160, height: 90, columns: 4, pictures: [0] }
const answers = {
  pictures: () => Response.json(plan),
  empty: () => Response.json({ code: 'range_empty' }, { status: 404 }),
  broken: () => Response.json({}, { status: 502 }),
}

let answer: () => Response
let asked: number
beforeEach(() => {
  asked = 0
  vi.stubGlobal('fetch', async (path: string) => {
    if (path.endsWith('.json')) asked += 1
    return answer()
  })
  vi.stubGlobal('createImageBitmap', async () => ({ close: () => undefined }))
})
afterEach(() => vi.unstubAllGlobals())

/** A finger on the first minute. @param nowMs when it is put there */
function finger(nowMs: number) {
  const clock = fakeClock(nowMs)
  let told: (picture: FingerPicture | undefined) => void = () => undefined
  const pictures = new FingerPictures('door', (picture) => picture !== 'waiting' && told(picture), clock.now)
  const held = () =>
    new Promise<FingerPicture | undefined>((resolve) => {
      told = resolve
      pictures.at(1_000)
    })
  return { clock, held }
}

test.each(['pictures', 'empty'] as const)('of a minute that is over, %s is asked for once', async (what) => {
  answer = answers[what]
  const { clock, held } = finger(minuteMs)
  const first = await held()
  expect(first !== undefined).toBe(what === 'pictures')
  clock.advance(minuteMs)
  expect(await held()).toEqual(first)
  expect(asked).toBe(1)
})

test.each([
  ['that could not be read', 'broken', minuteMs],
  ['that goes on and has none yet', 'empty', 2_000],
  ['that goes on', 'pictures', 2_000],
] as const)('a minute %s is asked for again, but not at each move of the finger', async (_which, what, nowMs) => {
  answer = answers[what]
  const { clock, held } = finger(nowMs)
  await held()
  await held()
  expect(asked).toBe(1)
  answer = answers.pictures
  clock.advance(minuteMs)
  expect(await held()).toBeDefined()
  expect(asked).toBe(2)
})
