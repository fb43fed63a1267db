import { expect, test } from 'vitest'
import type { Fragment } from '../../../../gateway/live-stream/live-muxer.ts'
import { StreamViewer } from '../../../../gateway/live-stream/stream-viewer.ts'

const init = Uint8Array.of(255)
/** Fragment `number`: 200 ms long, a keyframe every second. */
function fragment(number: number, bytes = 9): Fragment {
  return { bytes: new Uint8Array(bytes).fill(number), keyframe: number % 5 === 0, startMs: number * 200 }
}

function open(kept: readonly Fragment[] = []) {
  let left = 0
  const viewer = new StreamViewer(init, kept, () => {
    left += 1
  })
  /** Numbers of the fragments that can be read at once. */
  const take = () => {
    const numbers: number[] = []
    for (let bytes = viewer.body.read(); bytes !== null; bytes = viewer.body.read()) {
      for (const byte of bytes as Uint8Array) if (numbers.at(-1) !== byte) numbers.push(byte)
    }
    return numbers
  }
  return { viewer, take, left: () => left }
}

test('a viewer gets the init segment, what is kept, and what follows', () => {
  const { viewer, take } = open([fragment(0), fragment(1)])
  viewer.add(fragment(2))
  expect(take()).toEqual([255, 0, 1, 2])
  viewer.add(fragment(3))
  expect(take()).toEqual([3])
})

test('where nothing is kept, the stream begins with the next keyframe', () => {
  const { viewer, take } = open()
  for (const number of [3, 4, 5, 6]) viewer.add(fragment(number))
  expect(take()).toEqual([255, 5, 6])
})

test('who is more than two seconds behind at a keyframe goes on from there', () => {
  const { viewer, take } = open([fragment(0)])
  for (let number = 1; number <= 18; number += 1) viewer.add(fragment(number))
  expect(take()).toEqual([255, 15, 16, 17, 18])
})

test('what waits for a viewer who takes nothing has a bound', () => {
  const { viewer, take } = open([fragment(0)])
  const huge = 10 << 20
  // One group of pictures without end: nothing to skip to, until the bound is met.
  for (const number of [1, 2, 3, 4]) viewer.add(fragment(number, huge))
  viewer.add(fragment(6))
  viewer.add(fragment(10))
  expect(take().slice(-1)).toEqual([10])
})

test('the end is told once, whoever makes it', async () => {
  const { viewer, take, left } = open([fragment(0)])
  take()
  const ended = new Promise((resolve) => viewer.body.once('close', resolve))
  viewer.end()
  viewer.end()
  viewer.body.resume()
  await ended
  viewer.add(fragment(5))
  expect(left()).toBe(1)
  const other = open([fragment(0)])
  const gone = new Promise((resolve) => other.viewer.body.once('close', resolve))
  other.viewer.body.destroy()
  await gone
  other.viewer.end()
  expect(other.left()).toBe(1)
})
