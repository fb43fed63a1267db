import type { FastifyInstance, FastifyRequest } from 'fastify'
import { mustBeAllowed } from '../../auth/subject.ts'
import { isLoopback } from '../../broker/embedded-broker.ts'
import type { GatewayDeps } from '../deps.ts'

/** Prometheus metrics: for programs on the same machine, and for the owner. */
export function metricsRoutes(app: FastifyInstance, { metrics }: GatewayDeps): void {
  app.get('/metrics', { schema: { hide: true } as object, config: { rateLimit: false } }, async (request, reply) => {
    if (!isLocal(request)) mustBeAllowed(request.subject, 'manage', undefined)
    return reply.type(metrics.registry.contentType).send(await metrics.registry.metrics())
  })
}

/** On this machine, and not a reverse proxy that speaks for somebody else. */
function isLocal({ socket, headers }: FastifyRequest): boolean {
  const address = socket.remoteAddress?.replace(/^::ffff:/, '')
  return (
    address !== undefined &&
    isLoopback(address) &&
    headers['x-forwarded-for'] === undefined &&
    headers.forwarded === undefined
  )
}
