import { PorchlightError } from '@porchlight/proto/errors.ts'
import { cameraId, randomId } from '@porchlight/proto/ids.ts'
import { sdpFragmentType } from '@porchlight/proto/media/sdp-fragment.ts'
import type { FastifyInstance, FastifyReply } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { may, mustBeAllowed, nameOf, type Subject } from '../../auth/subject.ts'
import type { GatewayDeps } from '../deps.ts'
import { iceLinks } from '../ice-links.ts'
import { mustMatch } from '../if-match.ts'

/** Largest offer, bytes: Chromium's with every codec has about 7 KB. */
const maxOfferBytes = 32 * 1024
/** Largest list of candidates, bytes: each has about 150. */
const maxFragmentBytes = 8 * 1024
const sdpType = 'application/sdp'

/**
 * Media signaling of viewers: WHEP (draft-ietf-wish-whep, with RFC 9725 for what both have), one POST to a picture. The
 * answer has all candidates and a viewer's checks tell us its own, so that nobody needs to PATCH; who does is heard. ICE is
 * not restarted: who loses the path makes a new session.
 */
export async function whepRoutes(instance: FastifyInstance, deps: GatewayDeps): Promise<void> {
  // Scopes of their own, because only here a body is SDP.
  await instance.register(async (scope) => endpointRoutes(takesOnly(scope, sdpType, maxOfferBytes), deps))
  await instance.register(async (scope) => sessionRoutes(takesOnly(scope, sdpFragmentType, maxFragmentBytes), deps))
}

function endpointRoutes(app: FastifyInstance, { viewers, cameras, relayFor }: GatewayDeps): void {
  const path = '/api/cameras/:id/whep'
  const tags = ['live']
  const params = z.object({ id: cameraId })
  const tellServers = (reply: FastifyReply, subject: Subject) => {
    if (relayFor) reply.header('link', iceLinks(relayFor(nameOf(subject))))
  }
  const typed = app.withTypeProvider<ZodTypeProvider>()

  typed.options(
    path,
    {
      schema: { tags, summary: 'What a WHEP offer may be, and the TURN servers', params, response: { 204: z.null() } },
    },
    async ({ subject, params: { id } }, reply) => {
      reply.header('accept-post', sdpType).header('allow', 'POST, OPTIONS')
      // RFC 9725 §4.6: clients that cannot take servers after their offer ask before it. A preflight has no credential.
      if (may(subject, 'view', id)) tellServers(reply, subject)
      return reply.status(204).send(null)
    },
  )

  typed.post(
    path,
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
    async ({ subject, params: { id }, body }, reply) => {
      mustBeAllowed(subject, 'view', id)
      cameras.get(id)
      const session = await viewers.join(id, body, subject)
      tellServers(reply, subject)
      return reply
        .status(201)
        .header('location', `/api/whep/${session.id}`)
        .header('etag', tagOf(session.id))
        .header('accept-patch', sdpFragmentType)
        .type(sdpType)
        .send(session.answer)
    },
  )
}

function sessionRoutes(app: FastifyInstance, { viewers }: GatewayDeps): void {
  const path = '/api/whep/:session'
  const tags = ['live']
  const params = z.object({ session: randomId })
  const typed = app.withTypeProvider<ZodTypeProvider>()

  typed.options(
    path,
    { schema: { tags, summary: 'What may be done with a session', params, response: { 204: z.null() } } },
    async (_, reply) =>
      reply.status(204).header('accept-patch', sdpFragmentType).header('allow', 'PATCH, DELETE, OPTIONS').send(null),
  )

  typed.patch(
    path,
    {
      bodyLimit: maxFragmentBytes,
      schema: {
        tags,
        summary: 'Further candidates of a session (RFC 8840)',
        consumes: [sdpFragmentType],
        params,
        body: z.string().min(1),
        response: { 204: z.null() },
      },
    },
    async ({ subject, params: { session }, body, headers }, reply) => {
      mustBeSomebody(subject)
      mustMatch(headers['if-match'], tagOf(session))
      viewers.trickle(session, body, subject)
      return reply.status(204).send(null)
    },
  )

  typed.delete(
    path,
    { schema: { tags, summary: 'End a session', params, response: { 204: z.null() } } },
    async ({ subject, params: { session } }, reply) => {
      mustBeSomebody(subject)
      await viewers.leave(session, subject)
      return reply.status(204).send(null)
    },
  )
}

/** Bodies of one type only, as text. */
function takesOnly(scope: FastifyInstance, type: string, bodyLimit: number): FastifyInstance {
  scope.removeAllContentTypeParsers()
  scope.addContentTypeParser(type, { parseAs: 'string', bodyLimit }, async (_: unknown, body: unknown) => body)
  scope.addContentTypeParser('*', async () => {
    throw new PorchlightError('media_type_unsupported', `send ${type}`)
  })
  return scope
}

/** The ICE session's tag (RFC 9725 §4.3.1): a session has but one. */
function tagOf(session: string): string {
  return `"${session}"`
}

function mustBeSomebody(subject: Subject): void {
  if (subject.kind === 'nobody') throw new PorchlightError('sign_in_required')
}
