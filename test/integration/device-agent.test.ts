import { expect, it, onTestFinished } from 'vitest'
import { startCamera } from '../sim/start-camera.ts'
import { AgentHouse, cameraThat, eventThat, GatewayHouse } from '../support/house.ts'
import { until } from '../support/until.ts'

interface Recorded {
  recording: { state: string; fromMs: number; toMs: number; gaps: [number, number][] }
}
const patienceMs = 120_000
/** From keyframe to keyframe of the simulated camera's main stream. */
const groupMs = 4_000

it('a ring becomes an event with pre-roll and live picture; the doctor then finds the device well', async () => {
  const atEnd = (cleanUp: () => Promise<unknown>) => onTestFinished(async () => void (await cleanUp()))
  const camera = await startCamera()
  atEnd(() => camera.close())
  const gateway = await GatewayHouse.open(atEnd)
  const agent = await AgentHouse.open(
    gateway,
    { source: { url: camera.url, sub: camera.subUrl }, motion: { enabled: false } },
    atEnd,
    { settings: { ring: { holdSeconds: 3 } } },
  )
  await cameraThat(gateway, agent.camera, (one) => one.online && one.state === 'live')
  await until('seven seconds of pre-roll', () => {
    const frames = camera.frames()
    // The agent keeps nothing before the first keyframe that it sees, and may have come in the middle of a group.
    return frames.at(-1)!.sentMs - frames[0]!.sentMs > groupMs + 7_000
  })

  const rungAt = await agent.ring()
  const event = await eventThat(gateway, (one) => one.kind === 'ring')
  expect(event.begin).toBeGreaterThanOrEqual(rungAt)
  const { recording } = await until(
    'a complete recording with its pre-roll, without a gap',
    async () => {
      const one = await gateway.json<Recorded>(`/api/events/${event.eventId}`)
      const { state, fromMs, gaps } = one.recording
      return state === 'complete' && fromMs < event.begin - 5_000 && gaps.length === 0 ? one : undefined
    },
    patienceMs,
  )
  expect(recording.toMs).toBeGreaterThan(event.begin + 3_000)

  expect(await agent.process.stop(20_000)).toBe(0)
  await cameraThat(gateway, agent.camera, (one) => !one.online)
  const findings = await agent.cli('doctor')
  expect(findings).not.toContain('✗')
  for (const name of ['gateway', 'clock', 'broker', 'camera', 'speaker', 'media path']) {
    expect(findings).toContain(`✓ ${name}: `)
  }
}, 400_000)
