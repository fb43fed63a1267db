import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { scanFiles } from '../../gateway/recorder/scan-files.ts'
import { startCamera } from '../sim/start-camera.ts'
import { AgentHouse, cameraThat, eventThat, GatewayHouse } from '../support/house.ts'
import { until } from '../support/until.ts'

it('a camera that is recorded all the time: nobody watches, nothing happens, and it goes on over an event and a restart', async () => {
  const atEnd = (cleanUp: () => Promise<unknown>) => onTestFinished(async () => void (await cleanUp()))
  const camera = await startCamera({ small: true, gop: 25 })
  atEnd(() => camera.close())
  const gateway = await GatewayHouse.open(atEnd, { recordings: { mode: 'continuous', postroll: 1 } })
  const agent = await AgentHouse.open(gateway, { source: { url: camera.url }, motion: { enabled: false } }, atEnd, {
    settings: { ring: { holdSeconds: 1 } },
  })
  const recorded = () =>
    scanFiles(join(gateway.directory, 'gateway/recordings'), new Set()).files.flatMap(({ parts }) => parts)
  /** Pictures of one run of the device, each counted once. */
  const longestRun = () => {
    const frames = new Map<string, Set<number>>()
    for (const { run, firstFrame, lastFrame } of recorded()) {
      const seen = frames.get(run) ?? new Set()
      for (let frame = firstFrame; frame <= lastFrame; frame++) seen.add(frame)
      frames.set(run, seen)
    }
    return Math.max(0, ...[...frames.values()].map((seen) => seen.size))
  }
  const newestMs = () => Math.max(0, ...recorded().map(({ endMs }) => endMs))

  await cameraThat(gateway, agent.camera, (one) => one.recording)
  await until('four seconds on the disk, and no event', () => longestRun() >= 100, 60_000)
  expect(await gateway.events()).toEqual([])

  await agent.ring()
  const event = await eventThat(gateway, (one) => one.kind === 'ring' && one.end !== null)
  await until('pictures from long after the event', () => newestMs() > event.end! + 5_000, 60_000)

  await gateway.process.stop()
  await gateway.start()
  const restartedAt = Date.now()
  await until('pictures of after the restart', () => newestMs() > restartedAt + 2_000, 60_000)
})
