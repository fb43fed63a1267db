import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { rangesOf } from '../../device/footage/ranges.ts'
import { startCamera } from '../sim/start-camera.ts'
import { AgentHouse, cameraThat, GatewayHouse } from '../support/house.ts'
import { missingUnits, numbered } from '../support/missing-units.ts'
import { recordedUnits } from '../support/recorded-units.ts'
import { decodedRecording, recordingThat } from '../support/recording.ts'
import { until } from '../support/until.ts'

const clips = fileURLToPath(new URL('../../../shared/clips/', import.meta.url))
const haveClips = existsSync(join(clips, 'visits.mp4'))
/** Of the gateway, by default, s. */
const prerollSeconds = 10

interface Labels {
  tolerance_s: number
  duration_s: number
  present_s: [number, number][]
}

// The second has the same pictures with B-frames between them, which come as footage.
test.skipIf(!haveClips).for(['visits.mp4', 'visits-bframes.mp4'])(
  '%s: six visits give six events; every picture of them and of the ten seconds before is recorded',
  { timeout: 400_000 },
  async (clip, { onTestFinished }) => {
    const labels = JSON.parse(readFileSync(join(clips, 'labels.json'), 'utf8'))['visits.mp4'] as Labels
    const camera = await startCamera({ file: join(clips, clip), audio: false })
    onTestFinished(() => camera.close())
    const gateway = await GatewayHouse.open(onTestFinished)
    const agent = await AgentHouse.open(
      gateway,
      { source: { url: camera.url, transport: 'tcp' }, motion: { enabled: true, holdSeconds: 2 } },
      onTestFinished,
    )
    await cameraThat(gateway, agent.camera, (notice) => notice.online && notice.state === 'live')
    const playedFrom = camera.frames(0)[0]!.sentMs
    await until(
      'the end of the clip',
      () => camera.frames(playedFrom + (labels.duration_s - 0.5) * 1000).length > 0,
      labels.duration_s * 1000 + 30_000,
    )
    const seconds = (ms: number) => (ms - playedFrom) / 1000
    const within = (second: number) => second < labels.duration_s - 1
    const events = await until('the last event to end', async () => {
      const all = (await gateway.events()).filter((event) => within(seconds(event.begin))).reverse()
      return all.every(({ end }) => end !== null) && all
    })
    expect(events.map(({ kind }) => kind)).toEqual(labels.present_s.map(() => 'motion'))
    for (const [index, [from, to]] of labels.present_s.entries()) {
      const event = events[index]!
      const recording = await recordingThat(gateway, event.eventId, ({ state }) => state === 'complete')
      // Nobody there, no beginning.
      expect(seconds(event.begin)).toBeGreaterThan(from - labels.tolerance_s - 0.5)
      expect(seconds(event.begin)).toBeLessThan(to)
      expect(seconds(recording.fromMs!)).toBeLessThanOrEqual(Math.max(0, from - prerollSeconds) + labels.tolerance_s)
      expect(seconds(recording.toMs!)).toBeGreaterThanOrEqual(to - labels.tolerance_s)
      expect(recording.gaps).toEqual([])
      const decoded = await decodedRecording(gateway, event.eventId, join(gateway.directory, `${index}.mp4`))
      expect(decoded.video.length).toBeGreaterThan((to - from) * 9)
    }
    // the first loop's pictures: no other number has them
    const sent = numbered(camera.frames()).filter(({ sentMs }) => within(seconds(sentMs)))
    const recorded = recordedUnits(join(gateway.directory, 'gateway', 'recordings'), agent.camera)
    const wanted = labels.present_s.map(([from, to]) =>
      sent.filter(({ sentMs }) => seconds(sentMs) >= from - prerollSeconds && seconds(sentMs) <= to),
    )
    const missing = wanted.map((units) => rangesOf(missingUnits(units, recorded)))
    const counts = wanted.map((units) => units.length)
    process.stdout.write(
      `${clip}: ${JSON.stringify({ wanted: counts, missing, begin: events.map((e) => seconds(e.begin)) })}\n`,
    )
    expect(missing).toEqual(wanted.map(() => []))
  },
)
