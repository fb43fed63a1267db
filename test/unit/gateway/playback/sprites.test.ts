import { expect, onTestFinished, test } from 'vitest'
import { Sprites } from '../../../../gateway/playback/sprites.ts'
import { memoryIndex } from '../../../support/memory-index.ts'
import { quietLog } from '../../../support/quiet-log.ts'
import { tempDir } from '../../../support/temp-dir.ts'

const camera = 'door.front'
const minuteMs = 60_000

test('without ffmpeg there are no small pictures, which is said with a code; a file that is gone likewise', async () => {
  const db = await memoryIndex()
  const file = { camera, path: 'gone.mp4', created_at: 1, base_ms: 0, init_bytes: 1, config: 'c', closed: 1 }
  await db.insertInto('files').values(file).execute()
  const part = { file_id: 1, camera, run: 'boot-0001', keyframe: 1, audio_json: '[]', bytes: 1, generation: 0 }
  // a part each second from half a minute before the minute on
  const parts = Array.from({ length: 90 }, (_, second) => ({
    ...{ ...part, first_frame: second, last_frame: second, offset: second },
    ...{ start_ms: 9.5 * minuteMs + second * 1_000, end_ms: 9.5 * minuteMs + (second + 1) * 1_000 },
  }))
  await db.insertInto('parts').values(parts).execute()
  const directory = await tempDir()
  const sprites = (ffmpeg: string | undefined) => {
    const made = new Sprites({ db, directory, ffmpeg, log: quietLog })
    onTestFinished(() => made.close())
    return made
  }
  const { pictures } = await sprites(undefined).plan(camera, 10)
  expect(pictures).toEqual(Array.from({ length: 12 }, (_, step) => 10 * minuteMs + step * 5_000))
  await expect(sprites(undefined).jpeg(camera, 10)).rejects.toMatchObject({ code: 'ffmpeg_missing' })
  await expect(sprites('ffmpeg').jpeg(camera, 10)).rejects.toMatchObject({ code: 'recording_not_found' })
  await expect(sprites('ffmpeg').jpeg(camera, 11)).rejects.toMatchObject({ code: 'range_empty' })
  await expect(sprites('ffmpeg').jpeg('door.back', 10)).rejects.toMatchObject({ code: 'range_empty' })
})
