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

const okAnswer = z.object({ offset: z.number().int().nonnegative(), complete: z.boolean().optional() })
const problemAnswer = z.object({ code: z.string(), offset: z.number().int().nonnegative().optional() })

/** What the gateway has of a delivery. */
export interface DeliveryState {
  /** Bytes. */
  offset: number
  complete: boolean
}

export interface DeliveryTarget {
  /** Base URL of the gateway's API. */
  api: string
  camera: string
  /** Id of the delivery, chosen by us. */
  id: string
  /** Device token of this moment. */
  token(): string
  authority(url: URL, signal: AbortSignal): Promise<string | undefined>
}

interface Call {
  method: 'PUT' | 'GET'
  headers?: Record<string, string>
  body?: Uint8Array
}

/** Adds one piece to a delivery. @throws PorchlightError the gateway's code, or `session_timeout` where it did not answer */
export async function putFootage(
  target: DeliveryTarget,
  piece: { offset: number; bytes: Uint8Array; last: boolean },
  bucket: TokenBucket,
  signal: AbortSignal,
): Promise<DeliveryState> {
  const end = piece.offset + piece.bytes.byteLength
  const range = `bytes ${piece.offset}-${end - 1}/${piece.last ? end : '*'}`
  const headers = { 'content-type': 'application/octet-stream', 'content-range': range }
  const answer = await call(target, { method: 'PUT', headers, body: piece.bytes }, bucket, signal)
  return { offset: answer.offset, complete: piece.last && answer.offset === end }
}

/** Asks how far a delivery has come. @throws PorchlightError as `putFootage` */
export async function askFootage(
  target: DeliveryTarget,
  bucket: TokenBucket,
  signal: AbortSignal,
): Promise<DeliveryState> {
  const answer = await call(target, { method: 'GET' }, bucket, signal)
  return { offset: answer.offset, complete: answer.complete === true }
}

async function call(
  target: DeliveryTarget,
  { method, headers, body }: Call,
  bucket: TokenBucket,
  signal: AbortSignal,
): Promise<z.infer<typeof okAnswer>> {
  const url = new URL(`/api/device/cameras/${target.camera}/footage/${target.id}`, target.api)
  const ca = await target.authority(url, signal)
  const response = Promise.withResolvers<IncomingMessage>()
  const request = (url.protocol === 'https:' ? httpsRequest : httpRequest)(url, {
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
  request.on('timeout', () => request.destroy(new Error('no answer')))
  request.on('error', response.reject)
  request.on('response', response.resolve)
  const stop = new AbortController()
  const sending = send(request, body, bucket, AbortSignal.any([signal, stop.signal]))
  try {
    // A refusal may come while the body is still on its way.
    const answer = await response.promise
    return readAnswer(answer.statusCode ?? 0, await readText(answer))
  } catch (cause) {
    if (cause instanceof PorchlightError) throw cause
    throw new PorchlightError('session_timeout', cause instanceof Error ? cause.message : undefined, { cause })
  } finally {
    stop.abort()
    await sending
    if (!request.writableEnded) request.destroy()
  }
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
    if (bytes > maxAnswerBytes) throw new PorchlightError('message_too_large', 'the answer of the gateway')
    parts.push(part)
  }
  return Buffer.concat(parts).toString('utf8')
}

function readAnswer(status: number, text: string): z.infer<typeof okAnswer> {
  const json = parseJson(text)
  if (status === 200) {
    const ok = okAnswer.safeParse(json)
    if (ok.success) return ok.data
    throw new PorchlightError('internal', 'the gateway gave an answer that is no delivery state')
  }
  const problem = problemAnswer.safeParse(json)
  // 409 footage_offset: the gateway says where to go on.
  if (status === 409 && problem.success && problem.data.offset !== undefined) return { offset: problem.data.offset }
  const code = problem.success && isErrorCode(problem.data.code) ? problem.data.code : 'internal'
  throw new PorchlightError(code, `HTTP ${status}`)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
