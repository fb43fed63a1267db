import { PorchlightError } from '@porchlight/proto/errors.ts'
import { cameraId, randomId } from '@porchlight/proto/ids.ts'
import { sdpFragmentType } from '@porchlight/proto/media/sdp-fragment.ts'
import type { FastifyInstance, FastifyReply } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { type Action, may, mustBeAllowed, nameOf, type Subject } from '../auth/subject.ts'
import type { RelayFor } from '../webrtc/turn.ts'
import { iceLinks } from './ice-links.ts'
import { mustMatch } from './if-match.ts'

/** Largest offer, bytes: Chromium's with every codec has about 7 KB. */
const maxOfferBytes = 32 * 1024
/** Largest list of candidates, bytes: each has about 150. */
const maxFragmentBytes = 8 * 1024
const sdpType = 'application/sdp'
const tags = ['live']

/** What sets WHIP and WHEP apart. */
export interface SdpOverHttp {
  name: 'WHIP' | 'WHEP'
  /** What a POST means, for the OpenAPI text. */
  summary: string
  description: string
  /** What one must be allowed to do to open a session. */
  action: Action
  /** Answers an offer. @throws PorchlightError */
  open(camera: string, offer: string, subject: Subject): Promise<{ id: string; answer: string }>
  /** @throws PorchlightError `session_not_found`, `forbidden`, `sdp_invalid`, `ice_restart_unsupported` */
  trickle(session: string, fragment: string, subject: Subject): void
  /** Idempotent. @throws PorchlightError `forbidden` */
  leave(session: string, subject: Subject): Promise<void>
  relayFor: RelayFor | undefined
}

/**
 * What WHIP (RFC 9725) and WHEP (draft-ietf-wish-whep) have in common: one POST makes a session, PATCH brings further
 * candidates, DELETE ends it. The answer has all candidates of ours, and the other side's checks tell us its own, so that
 * nobody needs to PATCH; who does is heard. ICE is not restarted: who loses the path makes a new session.
 */
export async function sdpOverHttp(instance: FastifyInstance, protocol: SdpOverHttp): Promise<void> {
  // Scopes of their own, because only here a body is SDP.
  await instance.register(async (scope) => endpointRoutes(openScope(scope, sdpType, maxOfferBytes), protocol))
  await instance.register(async (scope) => sessionRoutes(openScope(scope, sdpFragmentType, maxFragmentBytes), protocol))
}

function endpointRoutes(app: FastifyInstance, protocol: SdpOverHttp): void {
  const { name, summary, description, action, open, relayFor } = protocol
  const path = `/api/cameras/:id/${name.toLowerCase()}`
  const params = z.object({ id: cameraId })
  const tellServers = (reply: FastifyReply, subject: Subject) => {
    if (relayFor) reply.header('link', iceLinks(relayFor(nameOf(subject))))
  }
  const typed = app.withTypeProvider<ZodTypeProvider>()

  typed.options(
    path,
    {
      schema: {
        ...{ tags, params, response: { 204: z.null() } },
        summary: `What a ${name} offer may be, and the TURN servers`,
      },
    },
    async ({ subject, params: { id } }, reply) => {
      reply.header('accept-post', sdpType).header('allow', 'POST, GET, HEAD, OPTIONS')
      // RFC 9725 §4.6: clients that cannot take servers after their offer ask before it. A preflight has no credential.
      if (may(subject, action, id)) tellServers(reply, subject)
      return reply.status(204).send(null)
    },
  )

  typed.post(
    path,
    {
      bodyLimit: maxOfferBytes,
      schema: {
        ...{ tags, summary, description, params },
        consumes: [sdpType],
        produces: [sdpType],
        body: z.string().min(1),
        response: { 201: z.string() },
      },
    },
    async ({ subject, params: { id }, body }, reply) => {
      mustBeAllowed(subject, action, id)
      const session = await open(id, body, subject)
      tellServers(reply, subject)
      return reply
        .status(201)
        .header('location', `/api/${name.toLowerCase()}/${session.id}`)
        .header('etag', tagOf(session.id))
        .header('accept-patch', sdpFragmentType)
        .type(sdpType)
        .send(session.answer)
    },
  )

  answerGet(app, path, params, `Nothing: a ${name} endpoint has no representation`)
}

function sessionRoutes(app: FastifyInstance, { name, trickle, leave }: SdpOverHttp): void {
  const path = `/api/${name.toLowerCase()}/:session`
  const params = z.object({ session: randomId })
  const typed = app.withTypeProvider<ZodTypeProvider>()

  typed.options(
    path,
    {
      schema: { tags, summary: `What may be done with a ${name} session`, params, response: { 204: z.null() } },
    },
    async (_, reply) =>
      reply
        .status(204)
        .header('accept-patch', sdpFragmentType)
        .header('allow', 'PATCH, DELETE, GET, HEAD, OPTIONS')
        .send(null),
  )

  typed.patch(
    path,
    {
      bodyLimit: maxFragmentBytes,
      schema: {
        ...{ tags, params },
        summary: `Further candidates of a ${name} session (RFC 8840)`,
        description:
          '`If-Match` must have the tag of the `ETag` that the session came with: 428 without it, 412 with another. A ' +
          'restart of ICE (another user name and password) is answered with 422, and the session goes on as it is.',
        consumes: [sdpFragmentType],
        body: z.string().min(1),
        response: { 204: z.null() },
      },
    },
    async ({ subject, params: { session }, body, headers }, reply) => {
      mustBeSomebody(subject)
      mustMatch(headers['if-match'], tagOf(session))
      trickle(session, body, subject)
      return reply.status(204).send(null)
    },
  )

  typed.delete(
    path,
    { schema: { tags, summary: `End a ${name} session`, params, response: { 204: z.null() } } },
    async ({ subject, params: { session } }, reply) => {
      mustBeSomebody(subject)
      await leave(session, subject)
      return reply.status(204).send(null)
    },
  )

  answerGet(app, path, params, `Nothing: a ${name} session has no representation`)
}

/** RFC 9725 §4.1: a GET is answered with success and no content. */
function answerGet(app: FastifyInstance, path: string, params: z.ZodObject, summary: string): void {
  app
    .withTypeProvider<ZodTypeProvider>()
    .get(path, { schema: { tags, summary, params, response: { 204: z.null() } } }, async (_, reply) =>
      reply.status(204).send(null),
    )
}

/** Headers of answers that a page of another origin may read. */
const exposed = 'Location, ETag, Link, Accept-Patch, Accept-Post, Retry-After'
const corsMethods = 'POST, PATCH, DELETE, GET, OPTIONS'
const corsHeaders = 'Authorization, Content-Type, If-Match'

/**
 * Bodies of one type only, as text; and pages of any origin are let in, as far as they bring a token (RFC 9725 §4.2). A
 * wildcard never lets a browser send its cookie along.
 */
function openScope(scope: FastifyInstance, type: string, bodyLimit: number): FastifyInstance {
  scope.removeAllContentTypeParsers()
  scope.addContentTypeParser(type, { parseAs: 'string', bodyLimit }, async (_: unknown, body: unknown) => body)
  scope.addContentTypeParser('*', async () => {
    throw new PorchlightError('media_type_unsupported', `send ${type}`)
  })
  scope.addHook('onSend', async (request, reply) => {
    reply.header('access-control-allow-origin', '*').header('access-control-expose-headers', exposed)
    if (request.method !== 'OPTIONS') return
    reply.header('access-control-allow-methods', corsMethods).header('access-control-allow-headers', corsHeaders)
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
