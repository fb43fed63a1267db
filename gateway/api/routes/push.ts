import { PorchlightError } from '@porchlight/proto/errors.ts'
import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { Subject } from '../../auth/subject.ts'
import { pushSubscription } from '../../push/subscriptions.ts'
import type { GatewayDeps } from '../deps.ts'

/** Which browsers are to be woken. Only people can ask for that. */
export function pushRoutes(instance: FastifyInstance, { push, vapidPublicKey }: GatewayDeps): void {
  const app = instance.withTypeProvider<ZodTypeProvider>()
  const tags = ['push']

  app.get(
    '/api/push/key',
    {
      schema: {
        tags,
        summary: 'Key for PushManager.subscribe()',
        response: { 200: z.object({ publicKey: z.string() }) },
      },
    },
    (request) => {
      user(request.subject)
      return { publicKey: vapidPublicKey }
    },
  )

  app.post(
    '/api/push/subscriptions',
    { schema: { tags, summary: 'Wake this browser', body: pushSubscription, response: { 204: z.null() } } },
    async (request, reply) => {
      await push.add(user(request.subject), request.body)
      return reply.status(204).send(null)
    },
  )

  app.delete(
    '/api/push/subscriptions',
    {
      schema: {
        tags,
        summary: 'Wake this browser no more',
        body: z.object({ endpoint: z.string().max(2_048) }),
        response: { 204: z.null() },
      },
    },
    async (request, reply) => {
      await push.remove(request.body.endpoint, user(request.subject))
      return reply.status(204).send(null)
    },
  )
}

/** @throws PorchlightError `sign_in_required`, `forbidden` */
function user(subject: Subject): string {
  if (subject.kind === 'user') return subject.userId
  throw new PorchlightError(subject.kind === 'nobody' ? 'sign_in_required' : 'forbidden')
}
