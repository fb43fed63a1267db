import type { Socket } from 'node:net'
import { type ErrorCode, PorchlightError, toProblem } from '@porchlight/proto/errors.ts'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod'
import type { Metrics } from '../metrics/metrics.ts'

/** Media type of RFC 9457. */
const problemType = 'application/problem+json'

/** When a client may come again (RFC 9110 §10.2.3) where the gateway is full, or the camera not there, seconds. */
const retryAfterS = 5

/** An error whose problem has members besides the common ones (RFC 9457 §3.2), e.g. `offset`, `holder`. */
export class ProblemError extends PorchlightError {
  readonly members: Readonly<Record<string, unknown>>

  constructor(code: ErrorCode, members: Readonly<Record<string, unknown>>, detail?: string) {
    super(code, detail)
    this.members = members
  }
}

/** Every error of the API becomes a problem with a code of the registry; what has none is logged and says `internal`. */
export function registerProblems(app: FastifyInstance, metrics: Metrics): void {
  app.setErrorHandler(problemSender(metrics))
}

/** Answers with the problem that an error is; also for errors before any route was found (a malformed address). */
export function problemSender(metrics: Metrics) {
  return (thrown: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const error = toPorchlightError(thrown)
    if (error.code === 'internal') request.log.error({ err: thrown }, 'a request failed')
    metrics.problems.inc({ code: error.code })
    if ((error.status === 503 || error.code === 'camera_offline') && error.retryable)
      reply.header('retry-after', retryAfterS)
    if (error.status === 401) reply.header('www-authenticate', 'Bearer realm="porchlight"')
    const members = error instanceof ProblemError ? error.members : {}
    // What is internal stays in the log.
    const { detail, ...problem } = toProblem(error)
    return reply
      .status(error.status)
      .header('cache-control', 'no-store')
      .type(problemType)
      .send(
        JSON.stringify({
          ...problem,
          ...(detail !== undefined && error.code !== 'internal' && { detail }),
          ...members,
        }),
      )
  }
}

function toPorchlightError(thrown: unknown): PorchlightError {
  if (thrown instanceof PorchlightError) return thrown
  if (hasZodFastifySchemaValidationErrors(thrown)) {
    const lines = thrown.validation.map(
      (issue) => `${issue.instancePath.slice(1) || thrown.validationContext}: ${issue.message}`,
    )
    return new PorchlightError('request_invalid', lines.join('; '), { cause: thrown })
  }
  const { code, statusCode, message } = thrown as { code?: unknown; statusCode?: unknown; message?: string }
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE')
    return new PorchlightError('message_too_large', undefined, { cause: thrown })
  if (statusCode === 429) return new PorchlightError('too_many_requests', undefined, { cause: thrown })
  if (typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500) {
    return new PorchlightError('request_invalid', message, { cause: thrown })
  }
  return new PorchlightError('internal', undefined, { cause: thrown })
}

/** What is no HTTP gets the least that is one, and the end of the connection. */
export function answerBadHttp(_error: Error, socket: Socket): void {
  if (!socket.writable) return
  const body = JSON.stringify(toProblem(new PorchlightError('request_invalid')))
  socket.end(
    `HTTP/1.1 400 Bad Request\r\nContent-Type: ${problemType}\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  )
}
