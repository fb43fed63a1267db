import { PorchlightError } from '@porchlight/proto/errors.ts'
import { cameraId, randomId } from '@porchlight/proto/ids.ts'
import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { mustBeAllowed } from '../../auth/subject.ts'
import type { GatewayDeps } from '../deps.ts'

/** Largest offer, bytes: Chromium's with every codec has about 7 KB. */
const maxOfferBytes = 32 * 1024
const sdpType = 'application/sdp'

/**
 * Media signaling of viewers: WHEP (draft-ietf-wish-whep), one POST to a picture. The answer has all candidates, so there
 * is nothing to PATCH; who loses the path makes a new session.
 */
export async function whepRoutes(instance: FastifyInstance, { viewers, cameras }: GatewayDeps): Promise<void> {
  // A scope of its own, because only here a body is SDP.
  await instance.register(async (scope) => {
    const app = scope.withTypeProvider<ZodTypeProvider>()
    app.removeAllContentTypeParsers()
    app.addContentTypeParser(
      sdpType,
      { parseAs: 'string', bodyLimit: maxOfferBytes },
      async (_: unknown, body: unknown) => body,
    )
    app.addContentTypeParser('*', async () => {
      throw new PorchlightError('media_type_unsupported', `send ${sdpType}`)
    })
    const tags = ['live']
    const params = z.object({ id: cameraId })

    app.options(
      '/api/cameras/:id/whep',
      { schema: { tags, summary: 'What a WHEP offer may be', params, response: { 204: z.null() } } },
      async (_, reply) => reply.status(204).header('accept-post', sdpType).header('allow', 'POST, OPTIONS').send(null),
    )

    app.post(
      '/api/cameras/:id/whep',
      {
        bodyLimit: maxOfferBytes,
        schema: {
          tags,
          summary: 'See a camera: an SDP offer in, the answer out (WHEP)',
          consumes: [sdpType],
          produces: [sdpType],
          params,
          body: z.string().min(1),
          response: { 201: z.string() },
        },
      },
      async (request, reply) => {
        const { id } = request.params
        mustBeAllowed(request.subject, 'view', id)
        cameras.get(id)
        const session = await viewers.join(id, request.body, request.subject)
        return reply
          .status(201)
          .header('location', `/api/whep/${session.id}`)
          .header('etag', `"${session.id}"`)
          .type(sdpType)
          .send(session.answer)
      },
    )

    app.delete(
      '/api/whep/:session',
      {
        schema: {
          tags,
          summary: 'End a session',
          params: z.object({ session: randomId }),
          response: { 204: z.null() },
        },
      },
      async (request, reply) => {
        if (request.subject.kind === 'nobody') throw new PorchlightError('sign_in_required')
        await viewers.leave(request.params.session, request.subject)
        return reply.status(204).send(null)
      },
    )
  })
}
