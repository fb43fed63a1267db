import { PorchlightError } from '@porchlight/proto/errors.ts'
import { cameraId, randomId } from '@porchlight/proto/ids.ts'
import { event as eventMessage } from '@porchlight/proto/messages/event.ts'
import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { mustBeAllowed } from '../../auth/subject.ts'
import type { GatewayDeps } from '../deps.ts'

/** What happens at cameras that publish by themselves: there is no device that would tell of it over MQTT. */
export function cameraEventRoutes(
  instance: FastifyInstance,
  { events, cameras, now }: Pick<GatewayDeps, 'events' | 'cameras' | 'now'>,
): void {
  const app = instance.withTypeProvider<ZodTypeProvider>()

  app.put(
    '/api/cameras/:id/events/:event',
    {
      schema: {
        tags: ['events'],
        summary: 'Something happens at a camera that publishes by WHIP: people are told, and it is recorded',
        description:
          'For the holder of its publish token. `begin` with an id of your own making, `active` every few seconds while it ' +
          'goes on, `end` once. A motion event that goes quiet, and a ring after a while, ends by itself. Idempotent.',
        params: z.object({ id: cameraId, event: randomId }),
        body: eventMessage.pick({ kind: true, phase: true }),
        response: { 204: z.null() },
      },
    },
    async ({ subject, params: { id, event }, body }, reply) => {
      mustBeAllowed(subject, 'publish', id)
      cameras.get(id)
      const camera = await events.cameraOf(event)
      if (camera !== undefined && camera !== id) {
        throw new PorchlightError('forbidden', 'the event is another camera’s')
      }
      events.tell(id, { ...body, eventId: event, at: now() })
      return reply.status(204).send(null)
    },
  )
}
