import { cameraId } from '@porchlight/proto/ids.ts'
import { recordingMode } from '@porchlight/proto/messages/recording-mode.ts'
import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { mustBeAllowed } from '../../auth/subject.ts'
import type { GatewayDeps } from '../deps.ts'

const tags = ['cameras']
const params = z.object({ id: cameraId })
const answer = z.object({
  mode: recordingMode.describe('What is recorded now.'),
  chosen: z.boolean().describe('False: as configured, with its schedule.'),
})

/** What is recorded of a camera, and whether it is on at all. */
export function recordingModeRoutes(
  instance: FastifyInstance,
  { modes, cameras }: Pick<GatewayDeps, 'modes' | 'cameras'>,
): void {
  const app = instance.withTypeProvider<ZodTypeProvider>()
  const url = '/api/cameras/:id/recording'

  app.get(url, { schema: { tags, summary: 'The recording mode', params, response: { 200: answer } } }, (request) => {
    mustBeAllowed(request.subject, 'view', request.params.id)
    cameras.get(request.params.id)
    return modes.now(request.params.id)
  })

  app.put(
    url,
    {
      schema: {
        tags,
        summary: 'Choose the recording mode, in place of the configured one and until it is chosen anew',
        description: '`off` lets the camera go: nobody sees it, nothing is recorded. A ring still rings. Owner only.',
        params,
        body: z.strictObject({ mode: recordingMode }),
        response: { 200: answer },
      },
    },
    (request) => {
      mustBeAllowed(request.subject, 'manage', request.params.id)
      return modes.choose(request.params.id, request.body.mode)
    },
  )

  app.delete(
    url,
    { schema: { tags, summary: 'Record as configured again. Idempotent.', params, response: { 200: answer } } },
    (request) => {
      mustBeAllowed(request.subject, 'manage', request.params.id)
      return modes.choose(request.params.id, undefined)
    },
  )
}
