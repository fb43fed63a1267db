import { PorchlightError } from '@porchlight/proto/errors.ts'
import { relay } from '@porchlight/proto/messages/relay.ts'
import type { FastifyInstance, FastifyReply } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { UserSubject } from '../../auth/sign-in.ts'
import { nameOf } from '../../auth/subject.ts'
import { isAllowedOrigin, sessionCookie } from '../auth-hook.ts'
import type { GatewayDeps } from '../deps.ts'

const answer = z.object({ user: z.object({ id: z.string(), name: z.string(), role: z.enum(['owner']) }) })
/** With the relay a page has it before the tap that opens a camera, and needs no further request. */
const answerWithRelay = answer.extend({ relay: relay.optional() })

function toAnswer(subject: UserSubject): z.infer<typeof answer> {
  return { user: { id: subject.userId, name: subject.name, role: subject.role } }
}

/** Sign in with a one-time link, ask who is signed in, sign out. */
export function sessionRoutes(instance: FastifyInstance, { signIn, config, relayFor }: GatewayDeps): void {
  const app = instance.withTypeProvider<ZodTypeProvider>()

  app.get(
    '/api/session',
    { schema: { tags: ['session'], summary: 'Who is signed in', response: { 200: answerWithRelay } } },
    (request) => {
      const { subject } = request
      if (subject.kind !== 'user') throw new PorchlightError('sign_in_required')
      return { ...toAnswer(subject), ...(relayFor && { relay: relayFor(nameOf(subject)) }) }
    },
  )

  app.post(
    '/api/session',
    {
      schema: {
        tags: ['session'],
        summary: 'Sign in with the token of a one-time link',
        security: [],
        body: z.strictObject({ token: z.string().min(1).max(128) }),
        response: { 200: answer },
      },
      config: { rateLimit: { max: 10, timeWindow: 60_000, keyGenerator: (request) => request.ip } },
    },
    async (request, reply) => {
      // No page of somebody else's may sign a browser in.
      if (request.headers.origin !== undefined && !isAllowedOrigin(request, config.http.origins)) {
        throw new PorchlightError('origin_mismatch')
      }
      const { cookie, session } = await signIn.redeem(request.body.token, request.headers['user-agent'] ?? '')
      setCookie(reply, cookie, request.protocol === 'https', config.auth.sessionDays * 86_400)
      return toAnswer(session.subject)
    },
  )

  app.delete(
    '/api/session',
    { schema: { tags: ['session'], summary: 'Sign out', response: { 204: z.null() } } },
    async (request, reply) => {
      if (request.session) await signIn.signOut(request.session.id)
      setCookie(reply, '', request.protocol === 'https', 0)
      return reply.status(204).send(null)
    },
  )
}

function setCookie(reply: FastifyReply, value: string, secure: boolean, maxAge: number): void {
  reply.setCookie(sessionCookie, value, { path: '/', httpOnly: true, sameSite: 'strict', secure, maxAge })
}
