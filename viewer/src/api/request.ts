import { errors, isErrorCode, PorchlightError } from '@porchlight/proto/errors.ts'

/** No answer of the gateway may take longer than this, in ms. */
const requestTimeoutMs = 15_000

export interface RequestOptions {
  method?: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** Sent as JSON; a string is sent as it is with `type`. */
  body?: unknown
  type?: string
  headers?: Record<string, string>
  signal?: AbortSignal
  /** The answer goes on and on: it has no deadline but what `signal` makes. */
  endless?: boolean
  /** Lets the request outlive the page. */
  keepalive?: boolean
}

/**
 * One request to the gateway, which serves this page too.
 * @throws PorchlightError the gateway's own code; `gateway_unreachable` where there is no answer
 * @throws DOMException `AbortError` where `signal` ended it
 */
export async function request(path: string, options: RequestOptions = {}): Promise<Response> {
  const { method = 'GET', body, signal, endless = false, keepalive = false } = options
  const deadlines = [...(signal ? [signal] : []), ...(endless ? [] : [AbortSignal.timeout(requestTimeoutMs)])]
  const init: RequestInit = {
    method,
    headers: options.headers ?? {},
    keepalive,
    credentials: 'same-origin',
    signal: AbortSignal.any(deadlines),
  }
  if (body !== undefined) {
    init.headers = { ...init.headers, 'content-type': options.type ?? 'application/json' }
    init.body = typeof body === 'string' ? body : JSON.stringify(body)
  }
  let response: Response
  try {
    response = await fetch(path, init)
  } catch (cause) {
    if (signal?.aborted) throw cause
    throw new PorchlightError('gateway_unreachable', undefined, { cause })
  }
  if (response.ok) return response
  throw await errorOf(response)
}

/** The same, with the answer read as JSON. */
export async function requestJson<T>(path: string, options: RequestOptions = {}): Promise<T> {
  const response = await request(path, options)
  return (await response.json()) as T
}

/** An error of the gateway that says who holds the talk floor. */
export class FloorTakenError extends PorchlightError {
  readonly holder: string | undefined

  constructor(holder: string | undefined) {
    super('floor_taken')
    this.holder = holder
  }
}

/** Reads a problem (RFC 9457); what comes from a proxy in between is told by its status. */
export async function errorOf(response: Response): Promise<PorchlightError> {
  const problem: unknown = await response.json().catch((cause: unknown) => ({ unreadable: cause }))
  const code = member(problem, 'code')
  if (code === 'floor_taken') return new FloorTakenError(holderName(member(problem, 'holder')))
  const detail = member(problem, 'detail')
  if (isErrorCode(code)) return new PorchlightError(code, typeof detail === 'string' ? detail : undefined)
  if (response.status === 401) return new PorchlightError('sign_in_required')
  if (response.status === 404) return new PorchlightError('not_found')
  if (response.status === 429) return new PorchlightError('too_many_requests')
  if (response.status >= 502 && response.status <= 504) return new PorchlightError('gateway_unreachable')
  return new PorchlightError('internal', `HTTP ${response.status}`)
}

/** What a person reads of an error: the registry's sentence, without internals. */
export function sentenceOf(error: unknown): string {
  return errors[error instanceof PorchlightError ? error.code : 'internal'].sentence
}

/** The sentence of a code that came in a message; codes of a newer gateway are shown as they are. */
export function sentenceOfCode(code: string): string {
  return isErrorCode(code) ? errors[code].sentence : code
}

function holderName(holder: unknown): string | undefined {
  const found = typeof holder === 'string' ? holder : member(holder, 'name')
  return typeof found === 'string' ? found : undefined
}

function member(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined
}
