import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { mustBeAllowed } from '../../auth/subject.ts'
import { sessionReport } from '../../metrics/session-report.ts'
import type { GatewayDeps } from '../deps.ts'

/** The WebRTC sessions and how they fare. */
export function mediaSessionRoutes(instance: FastifyInstance, { sessions }: GatewayDeps): void {
  instance.withTypeProvider<ZodTypeProvider>().get(
    '/api/sessions',
    {
      schema: {
        tags: ['live'],
        summary: 'WebRTC sessions of viewers and cameras, with their figures: for the owner',
        response: { 200: z.array(sessionReport) },
      },
    },
    (request) => {
      mustBeAllowed(request.subject, 'manage', undefined)
      return sessions.reports()
    },
  )
}
