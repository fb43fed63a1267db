import type { Relay } from '@porchlight/proto/messages/relay.ts'
import { expect, test } from 'vitest'
import { RelayKeeper } from '../../../viewer/src/live/relay-keeper.ts'
import { fakeClock } from './fake-clock.ts'

const lent = (username: string): Relay => ({ urls: ['turn:x'], username, credential: 'word', seconds: 600 })

function setUp() {
  const clock = fakeClock()
  const asked: ReturnType<typeof Promise.withResolvers<Relay | undefined>>[] = []
  /** How long the page slept; its timers did not run then, ms. */
  const slept = { ms: 0 }
  const keeper = new RelayKeeper({
    now: () => clock.now() + slept.ms,
    timer: clock.timer,
    ask: () => {
      asked.push(Promise.withResolvers())
      return asked.at(-1)!.promise
    },
  })
  const names = () => keeper.servers().map(({ username }) => username)
  return { clock, slept, asked, keeper, names }
}

test('a page has the relay that it was lent, and renews it before its end', async () => {
  const { clock, asked, keeper, names } = setUp()
  expect(keeper.servers()).toEqual([])
  keeper.take(lent('one'))
  expect(keeper.servers()).toEqual([{ urls: ['turn:x'], username: 'one', credential: 'word' }])
  clock.advance(299_999)
  expect(asked).toHaveLength(0)
  clock.advance(1)
  expect(asked).toHaveLength(1)
  asked[0]!.resolve(lent('two'))
  await expect.poll(names).toEqual(['two'])
  clock.advance(300_000)
  expect(asked).toHaveLength(2)
})

test('what cannot be renewed is asked for again, and not used beyond its end', async () => {
  const { clock, asked, keeper, names } = setUp()
  keeper.take(lent('one'))
  clock.advance(300_000)
  asked[0]!.reject(new Error('away'))
  await asked[0]!.promise.catch(() => undefined)
  clock.advance(29_999)
  expect(asked).toHaveLength(1)
  clock.advance(1)
  expect(asked).toHaveLength(2)
  expect(names()).toEqual(['one'])
  clock.advance(270_000)
  expect(names()).toEqual([])
})

test('a page that wakes renews what has grown old asleep, once', () => {
  const { slept, asked, keeper } = setUp()
  keeper.wake()
  keeper.take(lent('one'))
  keeper.wake()
  expect(asked).toHaveLength(0)
  slept.ms = 400_000
  keeper.wake()
  keeper.wake()
  expect(asked).toHaveLength(1)
})

test('after signing out nothing is used or renewed', async () => {
  const { clock, asked, keeper } = setUp()
  keeper.take(lent('one'))
  clock.advance(300_000)
  keeper.take(undefined)
  asked[0]!.resolve(lent('two'))
  await asked[0]!.promise
  clock.advance(3_600_000)
  expect(asked).toHaveLength(1)
  expect(keeper.servers()).toEqual([])
})
