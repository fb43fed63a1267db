import { Readable } from 'node:stream'
import { cameraId } from '@porchlight/proto/ids.ts'
import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { mustBeAllowed } from '../../auth/subject.ts'
import type { Movie } from '../../playback/movie.ts'
import type { SegmentUris } from '../../playback/segments.ts'
import type { GatewayDeps } from '../deps.ts'
import { moment, timeRange } from '../moment.ts'
import { MovieSender } from '../send-movie.ts'

const params = z.object({ id: cameraId })
const querystring = timeRange
const tags = ['recordings']

/** Any time of a camera, as far as it is recorded: one MP4, and HLS. */
export function clipRoutes(instance: FastifyInstance, { clips }: Pick<GatewayDeps, 'clips'>): void {
  const app = instance.withTypeProvider<ZodTypeProvider>()
  const movies = new MovieSender()

  app.get(
    '/api/cameras/:id/clip.mp4',
    {
      schema: {
        tags,
        summary: 'Any time of a camera as one MP4 (with VP8: WebM), to play, keep and share; takes ranges',
        description:
          'Begins with the keyframe at or before `from`; at most four hours; pauses are skipped. The same bytes as long as ' +
          'the recording of that time does not change, which the ETag says. `Content-Digest` and `Repr-Digest` (SHA-256, ' +
          'RFC 9530) are sent up to 64 MiB, and beyond where `Want-Content-Digest` or `Want-Repr-Digest` asks for them.',
        params,
        querystring,
      },
    },
    async (request, reply) => {
      const { id } = request.params
      mustBeAllowed(request.subject, 'view', id)
      const { from: fromMs, to: toMs } = request.query
      const movie = await clips.movie({ camera: id, fromMs, toMs })
      return movies.send(request, reply, movie, fileName(id, fromMs, movie.type))
    },
  )

  app.get(
    '/api/cameras/:id/clip/groups.mp4',
    {
      schema: {
        tags,
        summary: 'The whole groups of pictures that show a time, for a player that jumps to a moment',
        description:
          'Fragmented MP4 (VP8: WebM) from the keyframe at or before `from` on, or from the next picture on where there is none; at most ' +
          'a minute. It ends early at a pause and where the codec changes. The timeline is 0 at `zero`, which must be a ' +
          'minute before `from`; pauses are not skipped. `Recorded-From` and `Recorded-To` say what it shows, in ms since ' +
          'the Unix epoch; the content type names the codecs.',
        produces: ['video/mp4', 'video/webm'],
        params,
        querystring: querystring.extend({ zero: moment }),
      },
    },
    async (request, reply) => {
      const { id } = request.params
      mustBeAllowed(request.subject, 'view', id)
      const { from: fromMs, to: toMs, zero } = request.query
      const groups = await clips.groups({ camera: id, fromMs, toMs }, zero)
      reply
        .type(groups.type)
        .header('cache-control', 'no-cache')
        .header('content-length', groups.bytes)
        // whole ms, so that asking again from its end gets what follows
        .header('recorded-from', Math.floor(groups.fromMs))
        .header('recorded-to', Math.ceil(groups.toMs))
      if (request.method === 'HEAD') return reply.send(Readable.from([]))
      return reply.send(Readable.from(groups.read(), { objectMode: false }))
    },
  )

  app.get(
    '/api/cameras/:id/clip.m3u8',
    {
      schema: {
        tags,
        summary: 'Any time of a camera as an HLS playlist, as far as it is there now',
        params,
        querystring,
      },
    },
    async (request, reply) => {
      mustBeAllowed(request.subject, 'view', request.params.id)
      const { from, to } = request.query
      const uris: SegmentUris = {
        init: (config) => `clip/init/${config}.mp4`,
        part: (part) => `clip/parts/${part}.m4s?from=${from}&to=${to}`,
      }
      const playlist = await clips.playlist({ camera: request.params.id, fromMs: from, toMs: to }, uris)
      return reply.type('application/vnd.apple.mpegurl').header('cache-control', 'no-cache').send(playlist)
    },
  )

  app.get(
    '/api/cameras/:id/clip/init/:config.mp4',
    {
      schema: {
        tags,
        summary: 'An init segment of the playlist',
        params: params.extend({ config: z.string().regex(/^[0-9a-f]{64}$/) }),
      },
    },
    async (request, reply) => {
      const { id, config } = request.params
      mustBeAllowed(request.subject, 'view', id)
      const bytes = await clips.init(id, config)
      return reply.type('video/mp4').header('cache-control', 'private, max-age=86400').send(Buffer.from(bytes))
    },
  )

  app.get(
    '/api/cameras/:id/clip/parts/:part.m4s',
    {
      schema: {
        tags,
        summary: 'A media segment of the playlist of the same time',
        params: params.extend({ part: z.coerce.number().int().positive() }),
        querystring,
      },
    },
    async (request, reply) => {
      const { id, part } = request.params
      mustBeAllowed(request.subject, 'view', id)
      const { from: fromMs, to: toMs } = request.query
      const bytes = await clips.segment({ camera: id, fromMs, toMs }, part)
      return reply.type('video/iso.segment').send(Buffer.from(bytes))
    },
  )
}

/** `{camera}-{YYYY-MM-DD}T{HHMMSS}Z.mp4`, or `.webm` */
function fileName(camera: string, fromMs: number, type: Movie['type']): string {
  const extension = type.slice('video/'.length)
  return `${camera}-${new Date(fromMs).toISOString().slice(0, 19).replaceAll(':', '')}Z.${extension}`
}
