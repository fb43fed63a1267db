import { PorchlightError } from '@porchlight/proto/errors.ts'
import { cameraId, randomId } from '@porchlight/proto/ids.ts'
import { eventNotice } from '@porchlight/proto/messages/notice.ts'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { mustBeAllowed, type Subject } from '../../auth/subject.ts'
import type { GatewayDeps } from '../deps.ts'

const recordingState = z.object({
  state: z.enum(['none', 'growing', 'complete']),
  fromMs: z.number().nullable(),
  toMs: z.number().nullable(),
  bytes: z.number(),
  gaps: z.array(z.tuple([z.number(), z.number()])),
})

/** What happened, newest first, and how far the recording of one event is. */
export function eventRoutes(instance: FastifyInstance, { events, playback }: GatewayDeps): void {
  const app = instance.withTypeProvider<ZodTypeProvider>()

  app.get(
    '/api/events',
    {
      schema: {
        tags: ['events'],
        summary: 'Events, newest first',
        querystring: z.object({
          camera: cameraId.optional(),
          before: z.coerce.number().optional().describe('Only events that began before, ms since the Unix epoch.'),
          limit: z.coerce.number().int().min(1).max(200).default(50),
        }),
        response: {
          200: z.object({
            events: z.array(eventNotice),
            next: z.number().nullable().describe('`before` of the next page; null where this is the last.'),
          }),
        },
      },
    },
    (request) => {
      const { camera, before, limit } = request.query
      const cameras = visible(request.subject, camera)
      return events.list({ limit, ...(before !== undefined && { before }), ...(cameras && { cameras }) })
    },
  )

  app.get(
    '/api/events/:id',
    {
      schema: {
        tags: ['events'],
        summary: 'One event and its recording',
        params: z.object({ id: randomId }),
        response: { 200: eventNotice.extend({ recording: recordingState }) },
      },
    },
    async (request) => {
      if (request.subject.kind === 'nobody') throw new PorchlightError('sign_in_required')
      const event = await events.get(request.params.id)
      mustBeAllowed(request.subject, 'view', event.camera)
      return { ...event, recording: await playback.recording(event.eventId) }
    },
  )

  const protectionOf = (isProtected: boolean, summary: string) => ({
    url: '/api/events/:id/protection',
    method: isProtected ? ('PUT' as const) : ('DELETE' as const),
    schema: { tags: ['events'], summary, params: z.object({ id: randomId }), response: { 200: eventNotice } },
    handler: async (request: FastifyRequest<{ Params: { id: string } }>) => {
      const { subject, params } = request
      if (subject.kind === 'nobody') throw new PorchlightError('sign_in_required')
      const { camera } = await events.get(params.id)
      mustBeAllowed(subject, 'manage', camera)
      return events.protect(params.id, isProtected)
    },
  })
  app.route(protectionOf(true, 'Keep the event and its recording until it is released. Idempotent.'))
  app.route(protectionOf(false, 'Keep the event and its recording no longer than others. Idempotent.'))
}

/** The cameras whose events somebody gets; undefined: all. @throws PorchlightError `sign_in_required`, `forbidden` */
function visible(subject: Subject, camera: string | undefined): readonly string[] | undefined {
  if (camera === undefined && subject.kind === 'token') return subject.cameras
  mustBeAllowed(subject, 'view', camera)
  return camera === undefined ? undefined : [camera]
}
