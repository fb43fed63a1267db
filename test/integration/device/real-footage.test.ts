import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'
import { FrameNumbering } from '../../../device/camera/frame-numbering.ts'
import { createSource } from '../../../device/camera/open-source.ts'
import { cameraSourceConfig } from '../../../device/config.ts'
import { CameraCollector } from '../../support/camera-collector.ts'
import { findProgram } from '../../support/find-program.ts'
import { quietLog } from '../../support/quiet-log.ts'

const clips = fileURLToPath(new URL('../../../../shared/clips/', import.meta.url))
const missing = !existsSync(`${clips}visits.mp4`)
if (missing) process.stdout.write('skipped: the clips of real visits are not beside the repository\n')

/** The clip's own H.264, as a Pi camera's program would write it, only faster. */
async function take(clip: string) {
  const ffmpeg = findProgram('FFMPEG_PATH', 'ffmpeg')
  const args = ['-v', 'error', '-i', `${clips}${clip}`, '-c:v', 'copy', '-bsf:v', 'h264_mp4toannexb', '-f', 'h264', '-']
  const collector = new CameraCollector()
  const make = createSource(cameraSourceConfig.parse({ command: [ffmpeg, ...args] }), { log: quietLog })
  const source = make(collector, new FrameNumbering())
  onTestFinished(() => source.close())
  await source.open(AbortSignal.timeout(30_000))
  await source.ended
  return collector
}

describe.skipIf(missing)('real footage', () => {
  it('without B-frames: every picture, a keyframe each 4 s', async () => {
    const { units, notes, formats } = await take('visits.mp4')
    expect(units).toHaveLength(1394)
    expect(units.flatMap((unit, index) => (unit.keyframe ? [index] : [])).slice(0, 4)).toEqual([0, 40, 80, 120])
    expect(notes).toEqual([])
    expect(formats.at(-1)!.video).toEqual({ codec: 'h264', width: 768, height: 432 })
  })

  it('with B-frames: found, said once, and marked', async () => {
    const { units, notes } = await take('visits-bframes.mp4')
    expect(units.length).toBeGreaterThan(1390)
    expect(notes).toEqual(['camera_bframes'])
    // I P B B B P B B B P: six in ten are not referred to
    expect(units.filter((unit) => !unit.reference).length / units.length).toBeCloseTo(0.6, 1)
  })
})
