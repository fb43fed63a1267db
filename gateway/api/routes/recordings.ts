import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { PorchlightError } from '@porchlight/proto/errors.ts'
import { randomId } from '@porchlight/proto/ids.ts'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { mustBeAllowed } from '../../auth/subject.ts'
import type { GatewayDeps } from '../deps.ts'
import { MovieSender } from '../send-movie.ts'

const eventParams = z.object({ id: randomId })
const tags = ['recordings']

export type RecordingDeps = Pick<GatewayDeps, 'playback' | 'db' | 'recordingsDirectory'>

/** What is recorded of events: one MP4, HLS, and the still. */
export function recordingRoutes(instance: FastifyInstance, deps: RecordingDeps): void {
  const app = instance.withTypeProvider<ZodTypeProvider>()
  const { playback, db, recordingsDirectory } = deps
  const movies = new MovieSender()

  const mustSee = async (request: FastifyRequest, eventId: string) => {
    if (request.subject.kind === 'nobody') throw new PorchlightError('sign_in_required')
    mustBeAllowed(request.subject, 'view', await playback.camera(eventId))
  }

  app.get(
    '/api/events/:id/recording.mp4',
    {
      schema: {
        tags,
        summary: 'The recording as one MP4 (with VP8: WebM), as far as it is there; takes ranges',
        params: eventParams,
      },
    },
    async (request, reply) => {
      await mustSee(request, request.params.id)
      return movies.send(request, reply, await playback.movie(request.params.id))
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

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size
  } catch (cause) {
    throw new PorchlightError('still_unavailable', undefined, { cause })
  }
}
