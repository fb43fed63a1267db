/**
 * How long a jump in a camera's day takes: from the finger that lets go until a picture of that moment is on screen, told by
 * its bar code. Chromium at phone size, the real gateway, and yesterday of four cameras (the simulated camera's small
 * stream, 36 kbit/s), made without waiting for the time to pass; the cameras' timelines are read likewise.
 * `--jumps N` in all (30), `--seed N`, `--verbose`.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { dayOfMoment } from '../../viewer/src/earlier/day-facts.ts'
import { launchChromium, phoneContext } from '../support/chromium.ts'
import { GatewayHouse } from '../support/house.ts'
import { seeded } from '../support/random.ts'
import { type RecordedEvent, recordDay } from '../support/recorded-day.ts'
import { openEarlierPage, timedJump } from './seek/jump.ts'
import { readTimelines } from './seek/timelines.ts'

const cameras = ['porch.door', 'garden.gate', 'yard.back', 'street.side']
const hour = 3_600_000
const eventsOfCamera = 60

export interface Result {
  seek_ms: { median: number; p95: number }
  timeline_day_ms: number
  timeline_day_kb: number
}

export async function run(args: readonly string[]): Promise<Result> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      jumps: { type: 'string', default: '30' },
      seed: { type: 'string', default: '1' },
      verbose: { type: 'boolean', default: false },
    },
  })
  const random = seeded(Number(values.seed))
  await using stack = new AsyncDisposableStack()
  const dataDir = await mkdtemp(join(tmpdir(), 'porchlight-seek-'))
  stack.defer(() => rm(dataDir, { recursive: true, force: true, maxRetries: 5 }))
  const day = dayOfMoment(Date.now(), -1)
  // the device began anew a few times, and was away once
  const edges = [0, 5.2, 5.21, 11, 11.5, 17.8, 17.801, 24].map((hours) => day.fromMs + hours * hour)
  const spans = [0, 2, 4, 6].map((at): [number, number] => [edges[at]!, Math.min(edges[at + 1]!, day.toMs)])
  const events = cameras.flatMap((camera) => eventsOf(camera, day.fromMs, random))
  const recorded = await recordDay({ dataDir, cameras, spans, events })
  process.stdout.write(`${cameras.length} cameras, ${recorded.parts} parts, ${Math.round(recorded.bytes / 1e6)} MB\n`)

  const gateway = await GatewayHouse.open((cleanUp) => stack.defer(cleanUp), {
    ...{ dataDir, recordings: { mode: 'continuous', retention: { reserveGigabytes: 0.001 } } },
  })
  const timelines = await readTimelines(gateway, cameras, day)
  const browser = await launchChromium()
  stack.defer(() => browser.close())
  const page = await (await phoneContext(browser)).newPage()
  await page.goto(await gateway.signInLink())
  await page.getByRole('navigation').waitFor()
  const times: number[] = []
  for (const [index, camera] of cameras.entries()) {
    const jumps = Math.ceil((Number(values.jumps) - times.length) / (cameras.length - index))
    await openEarlierPage(page, camera, day.fromMs + 12 * hour)
    for (let jump = 0; jump < jumps; jump += 1) {
      const wanted = anywhere(spans, random)
      const { ms, moment } = await timedJump(page, day, wanted, recorded.barcodesAt)
      if (values.verbose) process.stderr.write(`${camera} ${new Date(moment).toISOString()} ${Math.round(ms)} ms\n`)
      times.push(ms)
    }
  }
  const sorted = times.toSorted((a, b) => a - b)
  const at = (share: number) => Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!)
  process.stdout.write(`${times.length} jumps: median ${at(0.5)} ms, p95 ${at(0.95)} ms, most ${at(1)} ms\n`)
  process.stdout.write(`timeline of a day: median ${timelines.ms} ms, first ${timelines.firstMs} ms\n`)
  return { seek_ms: { median: at(0.5), p95: at(0.95) }, timeline_day_ms: timelines.ms, timeline_day_kb: timelines.kb }
}

function eventsOf(camera: string, dayMs: number, random: () => number): RecordedEvent[] {
  return Array.from({ length: eventsOfCamera }, (_, index): RecordedEvent => {
    const beginAt = Math.round(dayMs + (index + random()) * ((24 * hour) / eventsOfCamera))
    const id = `event-${camera.replace('.', '-')}-${index}`
    return { id, camera, kind: index % 6 === 0 ? 'ring' : 'motion', beginAt, endAt: beginAt + 20_000 }
  })
}

/** A moment that is recorded, and not at the very edge of a recording. */
function anywhere(spans: readonly [number, number][], random: () => number): number {
  for (;;) {
    const [from, to] = spans[Math.floor(random() * spans.length)]!
    const ms = from + random() * (to - from)
    if (ms - from > 60_000 && to - ms > 60_000) return ms
  }
}
