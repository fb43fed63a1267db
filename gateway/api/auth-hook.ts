import { PorchlightError } from '@porchlight/proto/errors.ts'
import { claimedDevice } from '@porchlight/proto/identity/device-token.ts'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Devices } from '../auth/devices.ts'
import type { PublishTokens } from '../auth/publish-tokens.ts'
import type { Session, SignIn } from '../auth/sign-in.ts'
import type { Subject } from '../auth/subject.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks, as the credential of the request proves. */
    subject: Subject
    /** The sign-in behind a cookie. */
    session: Session | undefined
  }
}

export const sessionCookie = 'porchlight_session'

const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS'])
const nobody: Subject = { kind: 'nobody' }

export interface AuthHookOptions {
  signIn: Pick<SignIn, 'session' | 'token'>
  devices: Pick<Devices, 'check'>
  publishTokens: Pick<PublishTokens, 'check'>
  /** Origins besides the gateway's own whose pages may use a cookie. */
  origins: readonly string[]
}

/**
 * Sets `request.subject` ahead of every handler: a bearer token (device, script or publisher) or a cookie. A credential that is no
 * good is refused, never taken for nobody. A cookie counts for changes and for WebSockets only from an allowed Origin.
 */
export function registerAuth(app: FastifyInstance, options: AuthHookOptions): void {
  app.decorateRequest('subject')
  app.decorateRequest('session')
  app.addHook('onRequest', async (request) => {
    request.subject = nobody
    const { subject, session } = await identify(request, options)
    request.subject = subject
    request.session = session
  })
}

async function identify(
  request: FastifyRequest,
  options: AuthHookOptions,
): Promise<{ subject: Subject; session: Session | undefined }> {
  const { signIn, origins } = options
  const { authorization } = request.headers
  if (authorization !== undefined) {
    const bearer = /^Bearer +(\S{1,512})$/i.exec(authorization)?.[1]
    return { subject: await byBearer(bearer, options), session: undefined }
  }
  const cookie = request.cookies[sessionCookie]
  const session = cookie === undefined ? undefined : await signIn.session(cookie)
  if (!session) return { subject: nobody, session: undefined }
  const upgrade = request.headers.upgrade !== undefined
  if ((upgrade || !safeMethods.has(request.method)) && !isAllowedOrigin(request, origins)) {
    throw new PorchlightError('origin_mismatch')
  }
  return { subject: session.subject, session }
}

async function byBearer(
  bearer: string | undefined,
  { signIn, devices, publishTokens }: AuthHookOptions,
): Promise<Subject> {
  if (bearer === undefined) throw new PorchlightError('sign_in_required', 'Authorization is not a bearer token')
  if (claimedDevice(bearer) === undefined) {
    const subject = (await signIn.token(bearer)) ?? (await publishTokens.check(bearer))
    if (subject) return subject
    throw new PorchlightError('sign_in_required', 'the access token is unknown, taken back or too old')
  }
  try {
    return await devices.check(bearer)
  } catch (cause) {
    if (!(cause instanceof PorchlightError)) throw cause
    throw new PorchlightError('sign_in_required', `device token: ${cause.code}`, { cause })
  }
}

/** Whether a request comes from a page of ours. Browsers send Origin with every change and every WebSocket (RFC 6454 §7). */
export function isAllowedOrigin(request: FastifyRequest, origins: readonly string[]): boolean {
  const { origin } = request.headers
  if (origin === undefined || !URL.canParse(origin)) return false
  return new URL(origin).host === request.host || origins.includes(origin)
}
