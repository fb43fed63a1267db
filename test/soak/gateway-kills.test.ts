import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { rangesOf } from '../../device/footage/ranges.ts'
import { scanFiles } from '../../gateway/recorder/scan-files.ts'
import { startCamera } from '../sim/start-camera.ts'
import type { AtEnd } from '../support/child.ts'
import { decode } from '../support/decode.ts'
import { AgentHouse, cameraThat, eventThat, GatewayHouse } from '../support/house.ts'
import { missingUnits, type NumberedUnit, numbered } from '../support/missing-units.ts'
import { seeded } from '../support/random.ts'
import { type RecordedUnit, recordedUnits } from '../support/recorded-units.ts'
import { until } from '../support/until.ts'

const kills = 12
/** Longest time from the first part to the kill: more than two groups of pictures, ms. */
const longestMs = 5_000
/** A group of pictures is on the disk so much later than it ended, ms. */
const durableMs = 1_000
/** Of the gateway, by default. */
const prerollMs = 10_000
const postrollMs = 5_000
/** At the edges a picture may be in or out: the clocks of camera and agent differ by a little, ms. */
const edgeMs = 200
/** What is missing has so long to be delivered in the end, ms. */
const patienceMs = 180_000

test.for(['events', 'continuous'] as const)(
  `${kills} kills of the gateway while it records (%s) lose no more than the open group of pictures, and only for a while`,
  { timeout: 900_000 },
  async (mode, { onTestFinished }) => {
    const random = seeded(mode.length)
    const { camera, gateway, agent, directory } = await openHouse(mode, onTestFinished)
    const sent = () => numbered(camera.frames())
    const recorded = () => recordedUnits(directory, agent.camera)
    /** Resolves when the gateway has heard of it. */
    const ring = async () => {
      await cameraThat(gateway, agent.camera, (notice) => notice.online && notice.state === 'live')
      if (mode === 'continuous') return
      // else it belongs to the one before
      await eventsOver(gateway)
      const at = await agent.ring()
      await eventThat(gateway, ({ begin }) => begin >= at)
    }
    await until('pre-roll', () => Date.now() - (sent()[0]?.sentMs ?? Date.now()) > prerollMs + 2_000)
    await ring()
    const lost: number[] = []
    const played = new Set<string>()
    let kept: RecordedUnit[] = []
    for (let kill = 0; kill < kills; kill += 1) {
      const known = new Set(kept.map(({ path }) => path))
      const ofThisLife = (units: RecordedUnit[]) =>
        units.filter(({ path }) => !known.has(path) && path.includes('-live'))
      // one in four is killed on its way to its first part
      if (kill % 4 !== 3) await until('pictures on the disk', () => recorded().length > kept.length)
      await wait(random() * longestMs)
      await gateway.process.kill()
      const killedMs = Date.now()

      const left = recorded()
      expect(kept.filter((unit) => !has(left, unit))).toEqual([])
      const live = ofThisLife(left)
      if (live.length > 0) lost.push(lossOf(sent(), left, live, killedMs))
      await playAll(directory, played)

      // the directory opens and what was cut off is taken in
      await gateway.start()
      await gateway.process.stop()
      expect(await gateway.cli('recordings', 'fsck')).toMatch(/ 0 differences$/)
      kept = recorded()
      await gateway.start()
      await ring()
    }
    await until('pictures after the last kill', () => recorded().length > kept.length)
    const isWanted = mode === 'events' ? await duringEvents(gateway) : since(recorded())
    const wanted = sent().filter(isWanted)
    const missing = () => rangesOf(missingUnits(wanted, recorded()))
    process.stdout.write(
      `${mode}: ${wanted.length} pictures, lost at each kill ${lost}, at once missing ${JSON.stringify(missing())}\n`,
    )
    await until(
      () => `the missing of ${wanted.length}: ${JSON.stringify(missing())}`,
      () => missing().length === 0,
      patienceMs,
    )
    // and as people play it
    const span = `from=${Math.ceil(wanted[0]!.sentMs)}&to=${Math.floor(wanted.at(-1)!.sentMs)}`
    const response = await gateway.fetch(`/api/cameras/${agent.camera}/clip.mp4?${span}`)
    const clip = join(gateway.directory, 'clip.mp4')
    await writeFile(clip, Buffer.from(await response.arrayBuffer()))
    const { video, errors } = await decode(clip)
    expect(errors).toEqual([])
    expect(video.length).toBeGreaterThanOrEqual(wanted.length - 2)
  },
)

async function openHouse(mode: 'events' | 'continuous', atEnd: AtEnd) {
  const camera = await startCamera({ small: true })
  atEnd(() => camera.close())
  const gateway = await GatewayHouse.open(atEnd, { recordings: { mode }, events: { ringSeconds: 600 } })
  const settings = { source: { url: camera.url, transport: 'tcp' }, motion: { enabled: false } }
  const agent = await AgentHouse.open(gateway, settings, atEnd, { settings: { ring: { holdSeconds: 4 } } })
  return { camera, gateway, agent, directory: join(gateway.directory, 'gateway', 'recordings') }
}

/** How many pictures since the first live one are not on the disk: none of a group that had ended. */
function lossOf(
  sent: readonly NumberedUnit[],
  left: readonly RecordedUnit[],
  live: readonly RecordedUnit[],
  killedMs: number,
): number {
  const first = Math.min(...live.map(({ frame }) => frame))
  const wanted = sent.filter(({ frame, sentMs }) => frame >= first && sentMs < killedMs)
  const open = wanted.findLast(({ keyframe, sentMs }) => keyframe && sentMs < killedMs - durableMs)
  const missing = missingUnits(wanted, left)
  expect(rangesOf(missing.filter(({ frame }) => frame < (open?.frame ?? first)))).toEqual([])
  return missing.length
}

/** Pictures of events, with what comes before and after them, once all of them are over. */
async function duringEvents(gateway: GatewayHouse): Promise<(unit: NumberedUnit) => boolean> {
  const events = await eventsOver(gateway)
  const spans = events.map(({ begin, end }) => [begin - prerollMs + edgeMs, end! + postrollMs - edgeMs] as const)
  return ({ sentMs }) => spans.some(([from, to]) => sentMs > from && sentMs < to)
}

/** Pictures from the first that was recorded until now. */
function since(recorded: readonly RecordedUnit[]): (unit: NumberedUnit) => boolean {
  const first = Math.min(...recorded.map(({ frame }) => frame))
  const endMs = Date.now()
  return ({ frame, sentMs }) => frame >= first && sentMs < endMs
}

function eventsOver(gateway: GatewayHouse) {
  return until('the end of all events', async () => {
    const all = await gateway.events()
    return all.every(({ end }) => end !== null) && all
  })
}

/** Plays each file that was not played before as it is, up to its last whole part. */
async function playAll(directory: string, played: Set<string>): Promise<void> {
  const { files, unreadable } = scanFiles(directory, played)
  expect(unreadable).toEqual([])
  for (const { path, parts, bytes, wholeBytes } of files) {
    // what fills a hole within a group of pictures begins where that group is known already
    if (parts[0]?.keyframe !== true) continue
    const { video, errors } = await decode(join(directory, path))
    const pictures = parts.reduce((sum, { firstFrame, lastFrame }) => sum + lastFrame - firstFrame + 1, 0)
    expect(video.length, path).toBeGreaterThanOrEqual(pictures)
    if (bytes === wholeBytes) expect(errors, path).toEqual([])
    played.add(path)
  }
}

function has(units: readonly RecordedUnit[], { run, frame, hash }: RecordedUnit): boolean {
  return units.some((unit) => unit.run === run && unit.frame === frame && unit.hash === hash)
}
