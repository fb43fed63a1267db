import { cameraId } from '@porchlight/proto/ids.ts'
import { event } from '@porchlight/proto/messages/event.ts'
import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { mustBeAllowed } from '../../auth/subject.ts'
import { timelineOf } from '../../playback/timeline.ts'
import type { GatewayDeps } from '../deps.ts'
import { timeRange } from '../moment.ts'

const timeline = z.object({
  from: z.number(),
  to: z.number(),
  resolutionMs: z.number().describe('Shorter pauses of the recording are not shown.'),
  recorded: z.array(z.tuple([z.number(), z.number()])).describe('Times from … to that can be played.'),
  gaps: z
    .array(z.tuple([z.number(), z.number(), z.enum(['missing', 'restart'])]))
    .describe('What should be recorded and is not: its pictures did not come (yet), or the device began anew.'),
  gapsLeftOut: z.number().describe('Shorter gaps; ask for less time to see them.'),
  events: z
    .array(z.tuple([z.string(), event.shape.kind, z.number(), z.number().nullable()]))
    .describe('Id, kind, begin, end (null while it goes on); the oldest first.'),
  eventsLeftOut: z.number().describe('Older events of that time: `/api/events` has them.'),
})

/** A day of a camera at a glance. */
export function timelineRoutes(
  instance: FastifyInstance,
  { db, modes, now }: Pick<GatewayDeps, 'db' | 'modes' | 'now'>,
): void {
  const app = instance.withTypeProvider<ZodTypeProvider>()

  app.get(
    '/api/cameras/:id/timeline',
    {
      schema: {
        tags: ['recordings'],
        summary: 'What is recorded of a camera, what is missing, and what happened; up to 26 hours',
        params: z.object({ id: cameraId }),
        querystring: timeRange,
        response: { 200: timeline },
      },
    },
    (request) => {
      const { id } = request.params
      mustBeAllowed(request.subject, 'view', id)
      const { from: fromMs, to: toMs } = request.query
      const continuous = (ms: number) => ['continuous', 'continuous-sub'].includes(modes.at(id, ms))
      return timelineOf(db, { camera: id, fromMs, toMs }, { now: now(), continuous })
    },
  )
}
