import { cameraId } from '@porchlight/proto/ids.ts'
import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { mustBeAllowed } from '../../auth/subject.ts'
import type { GatewayDeps } from '../deps.ts'

/** The last minute that a Date can hold. */
const lastMinute = 8.64e15 / 60_000 - 1
const params = z.object({
  id: cameraId,
  minute: z.coerce.number().int().min(0).max(lastMinute).describe('Minutes since the Unix epoch.'),
})
const tags = ['recordings']

/** Small pictures of a minute, to scrub by. */
export function spriteRoutes(instance: FastifyInstance, { sprites }: Pick<GatewayDeps, 'sprites'>): void {
  const app = instance.withTypeProvider<ZodTypeProvider>()

  app.get(
    '/api/cameras/:id/sprites/:minute.jpg',
    {
      schema: {
        tags,
        summary: 'Small pictures of a minute in one JPEG, made when it is asked for; `.json` says which stands where',
        params,
      },
    },
    async (request, reply) => {
      const { id, minute } = request.params
      mustBeAllowed(request.subject, 'view', id)
      const jpeg = await sprites.jpeg(id, minute)
      return reply.type('image/jpeg').header('cache-control', 'no-cache').send(Buffer.from(jpeg))
    },
  )

  app.get(
    '/api/cameras/:id/sprites/:minute.json',
    {
      schema: {
        tags,
        summary: 'Where the pictures of a minute stand: row by row, from the upper left corner',
        params,
        response: {
          200: z.object({
            width: z.number().describe('Of one picture, pixels.'),
            height: z.number(),
            columns: z.number(),
            pictures: z.array(z.number()).describe('Capture times, ms since the Unix epoch.'),
          }),
        },
      },
    },
    (request) => {
      const { id, minute } = request.params
      mustBeAllowed(request.subject, 'view', id)
      return sprites.plan(id, minute)
    },
  )
}
