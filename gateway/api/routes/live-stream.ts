import { cameraId } from '@porchlight/proto/ids.ts'
import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { credentialOf, lifeMs, mustBeAllowed } from '../../auth/subject.ts'
import type { GatewayDeps } from '../deps.ts'

/** The live picture without WebRTC: MP4 fragments in an answer that does not end. */
export function liveStreamRoutes(instance: FastifyInstance, { liveStreams, cameras, now }: GatewayDeps): void {
  const app = instance.withTypeProvider<ZodTypeProvider>()
  app.get(
    '/api/cameras/:id/live.mp4',
    {
      // A HEAD would wait for the camera too.
      exposeHeadRoute: false,
      schema: {
        tags: ['live'],
        summary: 'See a camera without WebRTC: fragmented MP4 that goes on, its codecs in the content type',
        produces: ['video/mp4'],
        params: z.object({ id: cameraId }),
        querystring: z.object({ sound: z.enum(['opus', 'none']).default('opus') }),
      },
    },
    async (request, reply) => {
      const { id } = request.params
      mustBeAllowed(request.subject, 'view', id)
      cameras.get(id)
      const gone = new AbortController()
      reply.raw.once('close', () => gone.abort())
      const { type, body } = await liveStreams.join(id, {
        sound: request.query.sound === 'opus',
        session: credentialOf(request.subject)?.id,
        lifeMs: lifeMs(request.subject, now()),
        signal: gone.signal,
      })
      // Proxies that gather an answer before they pass it on would gather for ever.
      return reply.type(type).header('x-accel-buffering', 'no').send(body)
    },
  )
}
