import { expect, test } from 'vitest'
import { Deliveries } from '../../../../gateway/recorder/deliveries.ts'
import { quietLog } from '../../../support/quiet-log.ts'
import { tempDir } from '../../../support/temp-dir.ts'

const camera = 'porch.door'

function house(directory: string, record: (text: string) => Promise<void>): Deliveries {
  return new Deliveries({
    ...{ directory, now: Date.now, log: quietLog },
    ready: async () => undefined,
    record: async (_, open) => {
      let text = ''
      for await (const chunk of open()) text += Buffer.from(chunk).toString()
      return record(text)
    },
  })
}

async function* body(text: string) {
  yield Buffer.from(text)
}

test('what came whole and was not recorded, because the gateway was killed, is recorded when its end comes again', async () => {
  const directory = await tempDir()
  const killed = house(directory, () => new Promise(() => undefined))
  await killed.put(camera, 'delivery-01', { start: 0, end: 4, total: undefined }, body('0123'))
  const recording = Promise.withResolvers<void>()
  const dying = house(directory, async () => {
    recording.resolve()
    await new Promise(() => undefined)
  })
  void dying.put(camera, 'delivery-01', { start: 4, end: 8, total: 8 }, body('4567'))
  await recording.promise

  const recorded: string[] = []
  const next = house(directory, async (text) => void recorded.push(text))
  expect(await next.state(camera, 'delivery-01')).toEqual({ offset: 8, complete: false })
  const end = { start: 7, end: 8, total: 8 }
  expect(await next.put(camera, 'delivery-01', end, body('7'))).toEqual({ offset: 8, complete: true })
  expect(recorded).toEqual(['01234567'])
})
