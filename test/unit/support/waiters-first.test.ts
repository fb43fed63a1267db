import { expect, test } from 'vitest'
import type { TestSpecification, Vitest } from 'vitest/node'
import { WaitersFirst } from '../../support/waiters-first.ts'

const project = { name: 'parts', config: { sequence: { groupOrder: 0 }, isolate: true } }
const seconds = {
  '/home/test/unit/short.test.ts': 1,
  '/home/test/unit/long.test.ts': 20,
  '/home/test/integration/short.test.ts': 2,
  '/home/test/integration/attacks/long.test.ts': 9,
}

test('integration tests begin, and of either kind the longest', async () => {
  const results = new Map(Object.entries(seconds).map(([name, duration]) => [name, { failed: false, duration }]))
  const cache = { getTestSpecificationResult: ({ moduleId }: TestSpecification) => results.get(moduleId) }
  const sequencer = new WaitersFirst({ cache } as unknown as Vitest)
  const files = Object.keys(seconds).map((moduleId) => ({ moduleId, project }) as unknown as TestSpecification)
  expect((await sequencer.sort(files)).map(({ moduleId }) => moduleId)).toEqual([
    '/home/test/integration/attacks/long.test.ts',
    '/home/test/integration/short.test.ts',
    '/home/test/unit/long.test.ts',
    '/home/test/unit/short.test.ts',
  ])
})
