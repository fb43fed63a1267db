import { PorchlightError } from '@porchlight/proto/errors.ts'
import { expect, onTestFinished, test } from 'vitest'
import { CameraModes } from '../../../../gateway/cameras/camera-modes.ts'
import type { RecordingModes } from '../../../../gateway/config/recording-mode.ts'
import { memoryIndex } from '../../../support/memory-index.ts'

const door = 'porch.door'
/** Friday, local time. */
const friday = (time: string) => new Date(`2026-11-20T${time}:00`).getTime()
const configured: RecordingModes = {
  mode: 'events',
  schedule: [],
  cameras: {
    [door]: { mode: 'continuous', schedule: [{ days: ['fri'], from: '12:00', to: '13:00', mode: 'off' }] },
  },
}

async function house(db?: Awaited<ReturnType<typeof memoryIndex>>) {
  const index = db ?? (await memoryIndex())
  const clock = { ms: friday('11:00') }
  let changed: (camera: { id: string }) => void = () => undefined
  const modes = new CameraModes({
    db: index,
    configured,
    now: () => clock.ms,
    cameras: {
      list: () => [{ id: door } as never],
      get: (id) => {
        if (id !== door) throw new PorchlightError('camera_not_found')
        return {} as never
      },
      onChange: (listener) => {
        changed = listener as typeof changed
        return () => undefined
      },
      onForget: () => () => undefined,
    },
  })
  onTestFinished(() => modes[Symbol.dispose]())
  await modes.load()
  const told: string[] = []
  modes.onChange((camera, { mode, chosen }) => told.push(`${camera} ${mode}${chosen ? ' chosen' : ''}`))
  modes.start()
  return { modes, clock, told, db: index, look: () => changed({ id: door }) }
}

test('the schedule switches a camera off and on again, and each change is told once', async () => {
  const { modes, clock, told, look } = await house()
  for (const time of ['12:00', '12:30', '13:00']) {
    clock.ms = friday(time)
    look()
  }
  expect(told).toEqual([`${door} continuous`, `${door} off`, `${door} continuous`])
  expect(() => modes.mustBeOn(door)).not.toThrow()
})

test('what is chosen holds over the schedule and a restart, until it is given back', async () => {
  const { modes, clock, db } = await house()
  clock.ms = friday('12:10')
  expect(await modes.choose(door, 'events')).toEqual({ mode: 'events', chosen: true })
  expect(await modes.choose(door, 'off')).toEqual({ mode: 'off', chosen: true })
  // Of the time before it was chosen nothing else is said than before.
  expect(modes.at(door, friday('11:30'))).toBe('continuous')

  const again = await house(db)
  again.clock.ms = friday('14:00')
  expect(again.modes.isOff(door)).toBe(true)
  expect(() => again.modes.mustBeOn(door)).toThrow(expect.objectContaining({ code: 'camera_off' }))
  // a machine without a clock of its own came up with an older time
  again.clock.ms = friday('09:00')
  expect(again.modes.isOff(door)).toBe(true)
  expect(await again.modes.choose(door, undefined)).toEqual({ mode: 'continuous', chosen: false })
  expect((await house(db)).modes.now(door).chosen).toBe(false)
})

test('there is no mode of a camera that is not there', async () => {
  const { modes } = await house()
  await expect(modes.choose('porch.nowhere', 'off')).rejects.toMatchObject({ code: 'camera_not_found' })
})
