import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { eventThat } from '../support/house.ts'
import { notRecorded, recordedUnits } from '../support/recorded-units.ts'
import { openSmallHouse } from '../support/small-house.ts'
import { until } from '../support/until.ts'

/** The clocks of camera and agent differ by less, ms. */
const edgeMs = 200

it('an event while the gateway is away survives the restart of the agent: every picture of it arrives, and once', async () => {
  const atEnd = (cleanUp: () => Promise<unknown>) => onTestFinished(async () => void (await cleanUp()))
  const recordings = { preroll: 3, postroll: 1 }
  const { camera, gateway, agent } = await openSmallHouse(atEnd, { gop: 25 }, { recordings })
  await until('pre-roll', () => camera.frames().at(-1)!.sentMs - camera.frames()[0]!.sentMs > 5_000)
  await gateway.process.stop()

  const rungAt = await agent.ring()
  await until('three more seconds of the event', () => camera.frames().at(-1)!.sentMs > rungAt + 3_000)
  expect(await agent.process.stop(20_000)).toBe(0)
  const stoppedAt = Date.now()
  const spool = join(gateway.directory, agent.device, 'spool/door')
  expect((await readdir(spool)).length).toBeGreaterThan(0)

  await gateway.start()
  await agent.start()
  const { begin, end } = await eventThat(gateway, ({ kind, end: ended }) => kind === 'ring' && ended !== null)
  expect(begin).toBeGreaterThanOrEqual(rungAt)
  expect(end!).toBeLessThan(stoppedAt)
  const wanted = camera
    .frames()
    .filter(({ sentMs }) => sentMs > begin - recordings.preroll * 1_000 + edgeMs && sentMs < end! - edgeMs)
  expect(wanted.length).toBeGreaterThan(50)
  const recorded = () => recordedUnits(join(gateway.directory, 'gateway/recordings'), agent.camera)
  await until('every picture of the event', () => notRecorded(wanted, recorded()).length === 0)
  await until('an empty spool', async () => (await readdir(spool)).length === 0)
  const numbers = recorded().map(({ run, frame }) => `${run} ${frame}`)
  expect(new Set(numbers).size).toBe(numbers.length)
}, 240_000)
