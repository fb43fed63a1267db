import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { PorchlightError } from '@porchlight/proto/errors.ts'
import { randomId } from '@porchlight/proto/ids.ts'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { mustBeAllowed } from '../../auth/subject.ts'
import { byteRange } from '../../playback/byte-range.ts'
import type { Movie } from '../../playback/movie.ts'
import type { GatewayDeps } from '../deps.ts'

const eventParams = z.object({ id: randomId })
const tags = ['recordings']

export type RecordingDeps = Pick<GatewayDeps, 'playback' | 'db' | 'recordingsDirectory'>

/** What is recorded of events: one MP4, HLS, and the still. */
export function recordingRoutes(instance: FastifyInstance, deps: RecordingDeps): void {
  const app = instance.withTypeProvider<ZodTypeProvider>()
  const { playback, db, recordingsDirectory } = deps

  const mustSee = async (request: FastifyRequest, eventId: string) => {
    if (request.subject.kind === 'nobody') throw new PorchlightError('sign_in_required')
    mustBeAllowed(request.subject, 'view', await playback.camera(eventId))
  }

  app.get(
    '/api/events/:id/recording.mp4',
    { schema: { tags, summary: 'The recording as one MP4, as far as it is there; takes ranges', params: eventParams } },
    async (request, reply) => {
      await mustSee(request, request.params.id)
      return sendMovie(request, reply, await playback.movie(request.params.id))
    },
  )

  app.get(
    '/api/events/:id/recording.m3u8',
    { schema: { tags, summary: 'The recording as an HLS playlist, also while it grows', params: eventParams } },
    async (request, reply) => {
      await mustSee(request, request.params.id)
      const playlist = await playback.playlist(request.params.id)
      return reply.type('application/vnd.apple.mpegurl').header('cache-control', 'no-cache').send(playlist)
    },
  )

  app.get(
    '/api/events/:id/init/:config.mp4',
    {
      schema: {
        tags,
        summary: 'An init segment of the playlist',
        params: eventParams.extend({ config: z.string().regex(/^[0-9a-f]{64}$/) }),
      },
    },
    async (request, reply) => {
      await mustSee(request, request.params.id)
      const bytes = await playback.init(request.params.id, request.params.config)
      return reply.type('video/mp4').header('cache-control', 'private, max-age=86400').send(Buffer.from(bytes))
    },
  )

  app.get(
    '/api/events/:id/parts/:part.m4s',
    {
      schema: {
        tags,
        summary: 'A media segment of the playlist',
        params: eventParams.extend({ part: z.coerce.number().int().positive() }),
      },
    },
    async (request, reply) => {
      await mustSee(request, request.params.id)
      const bytes = await playback.segment(request.params.id, request.params.part)
      return reply.type('video/iso.segment').send(Buffer.from(bytes))
    },
  )

  app.get(
    '/api/events/:id/still.jpg',
    { schema: { tags, summary: 'A picture of the event', params: eventParams } },
    async (request, reply) => {
      await mustSee(request, request.params.id)
      const row = await db
        .selectFrom('events')
        .select('still_path')
        .where('id', '=', request.params.id)
        .executeTakeFirst()
      if (!row?.still_path) throw new PorchlightError('still_unavailable')
      const path = join(recordingsDirectory, row.still_path)
      const size = await sizeOf(path)
      reply.type('image/jpeg').header('cache-control', 'private, max-age=3600').header('content-length', size)
      return reply.send(createReadStream(path))
    },
  )
}

/** Range requests of RFC 9110 §14: one range; several are answered with the whole. */
function sendMovie(request: FastifyRequest, reply: FastifyReply, movie: Movie): FastifyReply {
  reply
    .type('video/mp4')
    .header('accept-ranges', 'bytes')
    .header('etag', movie.etag)
    .header('cache-control', 'no-cache')
  if (request.headers['if-none-match'] === movie.etag) return reply.status(304).send()
  const ifRange = request.headers['if-range']
  const wanted = ifRange === undefined || ifRange === movie.etag ? request.headers.range : undefined
  const range = byteRange(wanted, movie.bytes)
  if (range === 'unsatisfiable') return reply.status(416).header('content-range', `bytes */${movie.bytes}`).send()
  const { from, to } = range ?? { from: 0, to: movie.bytes - 1 }
  if (range) reply.status(206).header('content-range', `bytes ${from}-${to}/${movie.bytes}`)
  reply.header('content-length', to - from + 1)
  // a stream, or Fastify would say that there are 0 bytes
  if (request.method === 'HEAD') return reply.send(Readable.from([]))
  return reply.send(Readable.from(movie.read(from, to), { objectMode: false }))
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size
  } catch (cause) {
    throw new PorchlightError('still_unavailable', undefined, { cause })
  }
}
