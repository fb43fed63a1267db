import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { byteRange } from '../playback/byte-range.ts'
import type { Movie } from '../playback/movie.ts'

/** A digest stands ahead of the bytes, so all of them are read first: unasked only where that takes no time to speak of. */
const unaskedBytes = 64 * 1024 * 1024
/** Digests that are remembered, for downloads that are resumed. */
const maxKnown = 256
/** Digests made at a time; more answers go without, which RFC 9530 allows. */
const maxRunning = 4

/**
 * Answers with a movie, or a part of it: one range (RFC 9110 §14; several are answered with the whole), `If-Range`,
 * `If-None-Match`, and the SHA-256 digests of RFC 9530: `Content-Digest` of the bytes in the answer, `Repr-Digest` of the
 * whole movie. Long ones have a digest only where `Want-Content-Digest` or `Want-Repr-Digest` asks for it.
 */
export class MovieSender {
  readonly #known = new Map<string, string>()
  #running = 0

  /** @param fileName what the browser may call it when it keeps it */
  async send(request: FastifyRequest, reply: FastifyReply, movie: Movie, fileName?: string): Promise<FastifyReply> {
    const { headers, method } = request
    const gone = () => reply.raw.destroyed
    const fresh = headers['if-none-match'] === movie.etag
    const ifRange = headers['if-range']
    const wanted = ifRange === undefined || ifRange === movie.etag ? headers.range : undefined
    const range = byteRange(wanted, movie.bytes)
    const { from, to } = typeof range === 'object' ? range : { from: 0, to: movie.bytes - 1 }
    const noContent = fresh || range === 'unsatisfiable'
    // ahead of every header: a file that is gone is found out here, and a problem has headers of its own
    const whole = noContent
      ? undefined
      : await this.#digest(movie, 0, movie.bytes - 1, headers['want-repr-digest'], gone)
    const content =
      noContent || method === 'HEAD'
        ? undefined
        : await this.#digest(movie, from, to, headers['want-content-digest'], gone)
    reply
      .type(movie.type)
      .header('accept-ranges', 'bytes')
      .header('etag', movie.etag)
      .header('cache-control', 'no-cache')
    if (fresh) return reply.status(304).send()
    if (range === 'unsatisfiable') return reply.status(416).header('content-range', `bytes */${movie.bytes}`).send()
    if (range) reply.status(206).header('content-range', `bytes ${from}-${to}/${movie.bytes}`)
    if (fileName) reply.header('content-disposition', `inline; filename="${fileName}"`)
    if (whole) reply.header('repr-digest', whole)
    if (content) reply.header('content-digest', content)
    reply.header('content-length', to - from + 1)
    // a stream, or Fastify would say that there are 0 bytes
    if (method === 'HEAD') return reply.send(Readable.from([]))
    return reply.send(Readable.from(movie.read(from, to), { objectMode: false }))
  }

  /**
   * Of the bytes `from`…`to`, as a header field has it.
   * @param want the header field that asks for it
   * @param gone whether nobody waits any more
   */
  async #digest(
    movie: Movie,
    from: number,
    to: number,
    want: string | string[] | undefined,
    gone: () => boolean,
  ): Promise<string | undefined> {
    const key = `${movie.etag} ${from}-${to}`
    const known = this.#known.get(key)
    if (known !== undefined) return known
    // sha-256 with a preference above 0 (RFC 9530 §4)
    const asked = /(?:^|,)\s*sha-256\s*=\s*(?:[1-9]|10)\s*(?:,|$)/.test(String(want ?? ''))
    if ((!asked && to - from >= unaskedBytes) || this.#running >= maxRunning) return undefined
    this.#running += 1
    try {
      const hash = createHash('sha256')
      for await (const bytes of movie.read(from, to)) {
        if (gone()) return undefined
        hash.update(bytes)
      }
      const digest = `sha-256=:${hash.digest('base64')}:`
      const [oldest] = this.#known.size >= maxKnown ? this.#known.keys() : []
      if (oldest !== undefined) this.#known.delete(oldest)
      this.#known.set(key, digest)
      return digest
    } finally {
      this.#running -= 1
    }
  }
}
