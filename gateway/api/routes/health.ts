import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { GatewayDeps } from '../deps.ts'

/** Whether the gateway lives, for whoever watches over it. Says nothing about the house. */
export function healthRoutes(instance: FastifyInstance, { brokerUp }: GatewayDeps): void {
  const app = instance.withTypeProvider<ZodTypeProvider>()
  app.get(
    '/api/health',
    {
      schema: {
        tags: ['operation'],
        summary: 'Whether the gateway lives',
        security: [],
        response: { 200: z.object({ status: z.enum(['ok', 'degraded']), broker: z.boolean() }) },
      },
      config: { rateLimit: false },
    },
    () => {
      const broker = brokerUp()
      return { status: broker ? ('ok' as const) : ('degraded' as const), broker }
    },
  )
}
