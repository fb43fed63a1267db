import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { isErrorCode, PorchlightError } from '@porchlight/proto/errors.ts'
import { z } from 'zod'
import type { TokenBucket } from './token-bucket.ts'

/** Bytes given to the socket at once: small, so that the live picture never waits behind footage for long. */
const sliceBytes = 8 * 1024
/** Longest silence of the gateway, which answers the last piece when its disk has it all, ms. */
const timeoutMs = 60_000
/** Longest answer, bytes. */
const maxAnswerBytes = 16 * 1024

const problem = z.object({ code: z.string() })

/** Where a device's requests go, and as whom. */
export interface GatewayTarget {
  /** Base URL of the gateway's API. */
  api: string
  /** Device token of this moment. */
  token(): string
  authority(url: URL, signal: AbortSignal): Promise<string | undefined>
}

export interface GatewayRequest {
  method: 'PUT' | 'GET' | 'POST'
  /** With its query, below the address of the API. */
  path: string
  headers?: Record<string, string>
  body?: Uint8Array
}

export interface GatewayAnswer {
  status: number
  /** Undefined where it is no JSON. */
  json: unknown
}

/**
 * One request to the gateway's API, its body no faster than the bucket gives.
 * @throws PorchlightError `session_timeout` where the gateway did not answer, or something else did at too great a length
 */
export async function requestGateway(
  target: GatewayTarget,
  { method, path, headers, body }: GatewayRequest,
  bucket: TokenBucket,
  signal: AbortSignal,
): Promise<GatewayAnswer> {
  const url = new URL(path, target.api)
  const stop = new AbortController()
  let sending: Promise<void> | undefined
  let request: ReturnType<typeof httpRequest> | undefined
  try {
    const ca = await target.authority(url, signal)
    const response = Promise.withResolvers<IncomingMessage>()
    request = (url.protocol === 'https:' ? httpsRequest : httpRequest)(url, {
      method,
      headers: {
        authorization: `Bearer ${target.token()}`,
        ...(body && { 'content-length': String(body.byteLength) }),
        ...headers,
      },
      signal,
      timeout: timeoutMs,
      ...(ca !== undefined && { ca }),
    })
    request.on('timeout', () => request?.destroy(new Error('no answer')))
    request.on('error', response.reject)
    request.on('response', response.resolve)
    sending = send(request, body, bucket, AbortSignal.any([signal, stop.signal]))
    // A refusal may come while the body is still on its way.
    const answer = await response.promise
    return { status: answer.statusCode ?? 0, json: parseJson(await readText(answer)) }
  } catch (cause) {
    if (cause instanceof PorchlightError) throw cause
    throw new PorchlightError('session_timeout', cause instanceof Error ? cause.message : undefined, { cause })
  } finally {
    stop.abort()
    await sending
    if (request?.writableEnded === false) request.destroy()
  }
}

/** What an answer that is no success says. */
export function refusalOf({ status, json }: GatewayAnswer): PorchlightError {
  const known = problem.safeParse(json)
  const code = known.success && isErrorCode(known.data.code) ? known.data.code : 'internal'
  return new PorchlightError(code, `HTTP ${status}`)
}

async function send(
  request: ReturnType<typeof httpRequest>,
  body: Uint8Array | undefined,
  bucket: TokenBucket,
  signal: AbortSignal,
): Promise<void> {
  for (let at = 0; body && at < body.byteLength && !request.destroyed; at += sliceBytes) {
    const slice = body.subarray(at, at + sliceBytes)
    await bucket.take(slice.byteLength, signal)
    if (signal.aborted) return
    if (!request.write(slice)) await drained(request, signal)
  }
  request.end()
}

function drained(request: ReturnType<typeof httpRequest>, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const done = () => {
    request.off('drain', done)
    request.off('close', done)
    signal.removeEventListener('abort', done)
    resolve()
  }
  request.on('drain', done)
  request.on('close', done)
  signal.addEventListener('abort', done, { once: true })
  return promise
}

async function readText(answer: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  let bytes = 0
  for await (const part of answer as AsyncIterable<Buffer>) {
    bytes += part.byteLength
    if (bytes > maxAnswerBytes)
      throw new PorchlightError('session_timeout', 'an answer that is longer than any of the gateway')
    parts.push(part)
  }
  return Buffer.concat(parts).toString('utf8')
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
