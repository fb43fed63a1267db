import { expect, test } from 'vitest'
import { findFfmpeg } from '../../../../device/ffmpeg/find-ffmpeg.ts'

test('a FFMPEG_PATH that is none is passed over, and without any other the error says what is off', async () => {
  const found = await findFfmpeg({ FFMPEG_PATH: '/nowhere/ffmpeg' }).catch((error: unknown) => error)
  if (found instanceof Error) expect(found).toMatchObject({ code: 'ffmpeg_missing' })
  else expect(found).toMatchObject({ version: expect.stringMatching(/^ffmpeg version /) })
})

test('a program that runs but is no ffmpeg is not taken', async () => {
  const found = await findFfmpeg({ FFMPEG_PATH: process.execPath }).catch((error: unknown) => error)
  expect(found).not.toMatchObject({ path: process.execPath })
})
