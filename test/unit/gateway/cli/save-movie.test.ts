import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PassThrough, Writable } from 'node:stream'
import { expect, test } from 'vitest'
import { saveMovie, streamMovie } from '../../../../gateway/cli/recordings/save-movie.ts'
import type { Movie } from '../../../../gateway/playback/movie.ts'
import { tempDir } from '../../../support/temp-dir.ts'

const movie: Movie = {
  ...({ type: 'video/mp4', etag: '"1"', bytes: 3 } as const),
  async *read() {
    for (const byte of [1, 2, 3]) yield Uint8Array.of(byte)
  },
}
const sha256 = '039058c6f2c0cb492c533b0a4d14ef77cc0f78abccced5287d84a1a2011cfb81'

const nothing = () => undefined

test('an export that is interrupted leaves nothing behind, and what stood there as it was', async () => {
  const folder = await tempDir()
  const path = join(folder, 'a.mp4')
  await writeFile(path, 'before')
  const abort = new AbortController()
  const interrupt = (done: number) => {
    if (done === 2) abort.abort()
  }
  await expect(saveMovie(movie, path, interrupt, abort.signal)).rejects.toMatchObject({ code: 'export_failed' })
  expect(await readdir(folder)).toEqual(['a.mp4'])
  expect(await saveMovie(movie, path, nothing, new AbortController().signal)).toBe(sha256)
  expect(await readdir(folder)).toEqual(['a.mp4'])
})

test('a stream that breaks off is an error with a code; one that takes all stays open', async () => {
  const broken = new Writable({ write: (_bytes, _encoding, done) => done(new Error('EPIPE')) })
  await expect(streamMovie(movie, broken, nothing)).rejects.toMatchObject({ code: 'export_failed' })
  const whole = new PassThrough()
  expect(await streamMovie(movie, whole, nothing)).toBe(sha256)
  expect(whole.writableEnded).toBe(false)
  expect(whole.read()).toEqual(Buffer.from([1, 2, 3]))
})
