import { PorchlightError } from '@porchlight/proto/errors.ts'
import { cameraId } from '@porchlight/proto/ids.ts'
import { cameraNotice } from '@porchlight/proto/messages/notice.ts'
import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { may, mustBeAllowed } from '../../auth/subject.ts'
import type { GatewayDeps } from '../deps.ts'

/** The cameras and how they are. */
export function cameraRoutes(instance: FastifyInstance, { cameras }: GatewayDeps): void {
  const app = instance.withTypeProvider<ZodTypeProvider>()

  app.get(
    '/api/cameras',
    {
      schema: {
        tags: ['cameras'],
        summary: 'Cameras that the asker may see',
        response: { 200: z.object({ cameras: z.array(cameraNotice) }) },
      },
    },
    (request) => {
      if (request.subject.kind === 'nobody') throw new PorchlightError('sign_in_required')
      return { cameras: cameras.list().filter((camera) => may(request.subject, 'view', camera.id)) }
    },
  )

  app.get(
    '/api/cameras/:id',
    {
      schema: {
        tags: ['cameras'],
        summary: 'One camera',
        params: z.object({ id: cameraId }),
        response: { 200: cameraNotice },
      },
    },
    (request) => {
      mustBeAllowed(request.subject, 'view', request.params.id)
      return cameras.get(request.params.id)
    },
  )
}
