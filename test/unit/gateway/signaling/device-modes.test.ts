import type { RecordingMode } from '@porchlight/proto/messages/recording-mode.ts'
import { expect, onTestFinished, test, vi } from 'vitest'
import { DeviceModes } from '../../../../gateway/signaling/device-modes.ts'

function house() {
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
  const ids = new Map<string, RecordingMode>([
    ['porch.door', 'off'],
    ['porch.garden', 'continuous-sub'],
    ['whip.studio', 'off'],
  ])
  let change: (camera: { id: string }) => void = () => undefined
  const sent: string[] = []
  const modes = new DeviceModes({
    cameras: {
      list: () => [...ids.keys()].map((id) => ({ id })),
      onChange: (listener) => {
        change = listener
        return () => undefined
      },
    },
    mode: (camera) => ids.get(camera)!,
    command: (device, body) => {
      if (body.type === 'recording') sent.push(`${device} ${body.camera} ${body.mode}`)
    },
  })
  onTestFinished(() => modes[Symbol.dispose]())
  const set = (id: string, mode: RecordingMode) => {
    ids.set(id, mode)
    change({ id })
  }
  return { modes, sent, set }
}

test('a device is told when it comes, at each change, anew when it comes back, and again for what was lost', () => {
  const { modes, sent, set } = house()
  set('porch.door', 'off')
  expect(sent).toEqual([])
  modes.online('porch', true)
  // Nothing of the small layer waits on a device: it keeps events.
  expect(sent.splice(0)).toEqual(['porch door off', 'porch garden events'])
  set('porch.door', 'off')
  expect(sent).toEqual([])
  set('porch.door', 'continuous')
  set('porch.gate', 'events')
  expect(sent.splice(0)).toEqual(['porch door continuous', 'porch gate events'])
  vi.advanceTimersByTime(60_000)
  expect(sent.splice(0)).toHaveLength(3)
  modes.online('porch', false)
  set('porch.door', 'off')
  expect(sent).toEqual([])
  modes.online('porch', true)
  modes.online('porch', true)
  expect(sent).toHaveLength(6)
})
