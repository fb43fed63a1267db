import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { AccessUnit } from '@porchlight/proto/media/access-unit.ts'
import { isReference, isSlice } from '@porchlight/proto/media/h264.ts'
import { pino } from 'pino'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { type Ffmpeg, findFfmpeg } from '../../../../device/ffmpeg/find-ffmpeg.ts'
import { MotionDetector } from '../../../../device/motion/motion-detector.ts'
import { readMp4 } from '../../../sim/mp4-source.ts'

/** Real footage, not part of the repository: six people come to a table and leave again. */
const clips = join(import.meta.dirname, '../../../../../shared/clips')
const preRollS = 5
const startMs = 1_763_600_000_000
/** So much of the clip is given to ffmpeg ahead of what has come back. */
const aheadMs = 8_000

const ffmpeg = await findFfmpeg(process.env).catch((error: unknown): Ffmpeg | undefined => {
  if (error instanceof Error) return undefined
  throw error
})

interface Labels {
  tolerance_s: number
  present_s: [number, number][]
}

function unitsOf(file: string) {
  const video = readMp4(readFileSync(join(clips, file)))
  const units = video.samples.map((sample, frame): AccessUnit => {
    const reference = sample.nals.some((nal) => isSlice(nal) && isReference(nal))
    const captureMs = startMs + sample.presentSeconds * 1000
    return { codec: 'h264', frame, captureMs, keyframe: sample.keyframe, reference, data: sample.nals }
  })
  return { format: { codec: 'h264' as const, width: video.width, height: video.height }, units }
}

/** Pictures of the clip's end that ffmpeg may keep, waiting for more, ms. */
const keptMs = 1_000

/** Events of a clip that is fed as fast as ffmpeg takes it; times in s of the clip. */
async function eventsOf(file: string): Promise<{ begin: number; end: number }[]> {
  const { format, units } = unitsOf(file)
  const events: { begin: number; end: number }[] = []
  let nowMs = startMs
  const toS = (ms: number) => (ms - startMs) / 1000
  const detector = new MotionDetector({
    ffmpeg,
    config: { holdSeconds: 2, sensitivity: 0.5 },
    now: () => nowMs,
    log: pino({ level: 'silent' }),
    on: {
      begin: (at) => events.push({ begin: toS(at), end: Number.POSITIVE_INFINITY }),
      active: () => undefined,
      end: (at) => {
        events.at(-1)!.end = toS(at)
      },
    },
    onSight: (captureMs) => {
      lookedAt = captureMs
      looked.resolve()
    },
    unavailable: () => undefined,
  })
  onTestFinished(() => detector.close())
  detector.format(format)
  let lookedAt = startMs
  let looked = Promise.withResolvers<void>()
  const [first, ...rest] = units
  // ffmpeg is starting.
  await vi.waitUntil(() => detector.accessUnit(first!), { timeout: 30_000, interval: 5 })
  const lookedAtAllBut = async (ms: number, captureMs: number) => {
    while (captureMs - lookedAt > ms) {
      looked = Promise.withResolvers()
      await looked.promise
    }
  }
  for (const unit of rest) {
    await lookedAtAllBut(aheadMs, unit.captureMs)
    detector.accessUnit(unit)
  }
  const lastMs = Math.max(...units.map((unit) => unit.captureMs))
  await lookedAtAllBut(keptMs, lastMs)
  // The camera goes: what is left of an event ends when nothing more is seen.
  nowMs = lastMs + 60_000
  await vi.waitUntil(() => events.every(({ end }) => Number.isFinite(end)), { timeout: 60_000 })
  return events
}

describe.skipIf(ffmpeg === undefined || !existsSync(join(clips, 'visits.mp4')))('motion in real footage', () => {
  test.each(['visits.mp4', 'visits-bframes.mp4'])('%s: six visits, six events, nobody missed', async (file) => {
    const labels: Labels = JSON.parse(readFileSync(join(clips, 'labels.json'), 'utf8'))['visits.mp4']
    const events = await eventsOf(file)
    expect(events).toHaveLength(labels.present_s.length)
    for (const [index, [from, to]] of labels.present_s.entries()) {
      const { begin, end } = events[index]!
      expect(begin).toBeGreaterThanOrEqual(from - labels.tolerance_s)
      expect(begin - preRollS).toBeLessThanOrEqual(from)
      expect(begin).toBeLessThanOrEqual(from + 1)
      expect(end).toBeGreaterThanOrEqual(to)
    }
  })
})
