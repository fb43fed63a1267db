import { expect, test } from 'vitest'
import { FrameNumbering } from '../../../../gateway/sfu/frame-numbering.ts'

const step = 6_000

function numbered(...packets: [timestamp: number, marker: boolean, gone?: number][]): number[] {
  const numbering = new FrameNumbering()
  return packets.map(([timestamp, marker, gone = 0]) => numbering.number({ timestamp, marker }, gone))
}

test('packets of one frame share its number', () => {
  expect(numbered([0, false], [0, true], [step, false], [step, false], [step, true])).toEqual([0, 0, 1, 1, 1])
})

test('uneven times without a loss leave no hole', () => {
  expect(numbered([0, true], [10, true], [9 * step, true], [9 * step + 10, true])).toEqual([0, 1, 2, 3])
})

test('what was lost between two whole frames was at least a frame, and no more frames than packets', () => {
  const even: [number, boolean][] = [
    [0, true],
    [step, true],
  ]
  expect(numbered(...even, [2 * step, true, 1]).at(-1)).toBe(3)
  expect(numbered(...even, [9 * step, true, 2]).at(-1)).toBe(4)
  expect(numbered(...even, [4 * step, true, 30]).at(-1)).toBe(4)
})

test('a frame without its end takes the loss upon itself', () => {
  expect(numbered([0, true], [step, false], [2 * step, true, 1])).toEqual([0, 1, 2])
})
