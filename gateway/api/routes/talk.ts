import { PorchlightError } from '@porchlight/proto/errors.ts'
import { cameraId, randomId } from '@porchlight/proto/ids.ts'
import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { mustBeAllowed } from '../../auth/subject.ts'
import type { GatewayDeps } from '../deps.ts'
import { ProblemError } from '../problems.ts'

/** The talk floor: taken by a session that watches, kept by asking again, given back. */
export function talkRoutes(instance: FastifyInstance, { floor, cameras }: GatewayDeps): void {
  const app = instance.withTypeProvider<ZodTypeProvider>()
  const tags = ['talk']
  const params = z.object({ id: cameraId })
  const body = z.object({ session: randomId })

  app.post(
    '/api/cameras/:id/talk',
    {
      schema: {
        tags,
        summary: 'Take the talk floor, or keep it; 409 with `holder` where somebody else talks',
        params,
        body,
        response: { 200: z.object({ until: z.number(), leaseMs: z.number() }) },
      },
    },
    (request) => {
      const { id } = request.params
      mustBeAllowed(request.subject, 'talk', id)
      cameras.get(id)
      try {
        return floor.take(id, request.body.session, request.subject)
      } catch (thrown) {
        if (!(thrown instanceof PorchlightError) || thrown.code !== 'floor_taken') throw thrown
        throw new ProblemError('floor_taken', { holder: thrown.detail })
      }
    },
  )

  app.delete(
    '/api/cameras/:id/talk',
    { schema: { tags, summary: 'Give the talk floor back', params, body, response: { 204: z.null() } } },
    async (request, reply) => {
      const { id } = request.params
      mustBeAllowed(request.subject, 'talk', id)
      floor.release(id, request.body.session, request.subject)
      return reply.status(204).send(null)
    },
  )
}
