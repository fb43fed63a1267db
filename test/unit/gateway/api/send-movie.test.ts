import { createHash } from 'node:crypto'
import { PorchlightError } from '@porchlight/proto/errors.ts'
import { expect, onTestFinished, test } from 'vitest'
import { MovieSender } from '../../../../gateway/api/send-movie.ts'
import type { Movie } from '../../../../gateway/playback/movie.ts'
import { routeApp } from '../../../support/route-app.ts'

const mebibyte = new Uint8Array(1_024 * 1_024).fill(7)

/** Bytes that are all the same. */
function movieOf(mebibytes: number): Movie {
  const bytes = mebibytes * mebibyte.length
  async function* read(from: number, to: number) {
    for (let left = to + 1 - from; left > 0; left -= mebibyte.length) yield mebibyte.subarray(0, left)
  }
  return { type: 'video/mp4', bytes, etag: `"${mebibytes}"`, read }
}

function digestOf(bytes: number): string {
  const hash = createHash('sha256')
  for (let left = bytes; left > 0; left -= mebibyte.length) hash.update(mebibyte.subarray(0, left))
  return `sha-256=:${hash.digest('base64')}:`
}

function serve(movie: Movie) {
  const app = routeApp({ subject: { kind: 'nobody' } })
  const movies = new MovieSender()
  app.get('/movie', (request, reply) => movies.send(request, reply, movie))
  onTestFinished(() => app.close())
  return (headers: Record<string, string> = {}) => app.inject({ url: '/movie', headers })
}

test.each<[string, number, Record<string, string>, number | undefined, number | undefined]>([
  ['a short one', 2, {}, 2 << 20, 2 << 20],
  ['a range of a short one', 2, { range: 'bytes=5-104' }, 100, 2 << 20],
  ['a long one', 65, {}, undefined, undefined],
  ['a long one, as asked for', 65, { 'want-content-digest': 'sha-512=3, sha-256=10' }, 65 << 20, undefined],
  ['asked for something else, or not to', 65, { 'want-content-digest': 'sha-512=3, sha-256=0' }, undefined, undefined],
  ['a short range of a long one', 65, { range: 'bytes=5-104' }, 100, undefined],
  ['… and of the whole, too', 65, { range: 'bytes=5-104', 'want-repr-digest': 'sha-256=1' }, 100, 65 << 20],
])('digests of %s', async (_, mebibytes, headers, content, whole) => {
  const response = await serve(movieOf(mebibytes))(headers)
  expect(response.headers['content-digest']).toBe(content === undefined ? undefined : digestOf(content))
  expect(response.headers['repr-digest']).toBe(whole === undefined ? undefined : digestOf(whole))
})

test('a file that is gone is a problem, with nothing of a movie about it', async () => {
  const movie = movieOf(1)
  movie.read = async function* () {
    yield mebibyte.subarray(0, 10)
    throw new PorchlightError('recording_not_found')
  }
  const response = await serve(movie)()
  expect([response.statusCode, response.json().code]).toEqual([404, 'recording_not_found'])
  expect(response.headers).not.toHaveProperty('etag')
  expect(response.headers).not.toHaveProperty('accept-ranges')
})
