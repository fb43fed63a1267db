import { PorchlightError } from '@porchlight/proto/errors.ts'
import { request } from './request.ts'

/** Nothing may come for so long, ms. */
const patienceMs = 15_000

/** An answer that is read while it comes. */
export interface StreamedAnswer {
  status: number
  headers: Headers
  /**
   * What it holds; to be read once.
   * @throws PorchlightError `gateway_unreachable` where it breaks off, or nothing comes for a while
   */
  chunks(): AsyncIterable<Uint8Array<ArrayBuffer>>
  /** Nothing more is wanted of it. */
  cancel(): void
}

/**
 * A request whose answer may take as long as it goes on.
 * @throws PorchlightError as `request`
 * @throws DOMException `AbortError` where `signal` ended it, also while it is read
 */
export async function requestStream(
  path: string,
  { headers = {}, signal }: { headers?: Record<string, string>; signal: AbortSignal },
): Promise<StreamedAnswer> {
  const stalled = new AbortController()
  const patiently = async <T>(waiting: Promise<T>): Promise<T> => {
    const timer = setTimeout(() => stalled.abort(), patienceMs)
    try {
      return await waiting
    } catch (cause) {
      if (signal.aborted || cause instanceof PorchlightError) throw cause
      throw new PorchlightError('gateway_unreachable', undefined, { cause })
    } finally {
      clearTimeout(timer)
    }
  }
  const either = AbortSignal.any([signal, stalled.signal])
  const response = await patiently(request(path, { headers, signal: either, endless: true }))
  return {
    status: response.status,
    headers: response.headers,
    cancel: () => stalled.abort(),
    async *chunks() {
      const reader = response.body?.getReader()
      try {
        for (;;) {
          const next = reader && (await patiently(reader.read()))
          if (next?.value === undefined) return
          yield next.value
        }
      } finally {
        // who stops reading wants no more of it; of one that broke off there is nothing to cancel
        void reader?.cancel().catch(() => undefined)
      }
    },
  }
}
