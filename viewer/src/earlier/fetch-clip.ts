import { PorchlightError } from '@porchlight/proto/errors.ts'
import { requestStream } from '../api/request-stream.ts'
import { backoffMs } from '../live/backoff.ts'

/** A larger clip is not held by the page, bytes. */
export const largestBytes = 100 * 1024 * 1024
/** It broke off so often in a row without a byte in between. */
const maxFailures = 6

export interface ClipFetching {
  signal: AbortSignal
  /** @param share of what is there, 0 … 1 */
  progress(share: number): void
}

export interface ClipFetchingOptions {
  ask: typeof requestStream
  wait(ms: number, signal: AbortSignal): Promise<void>
  random: () => number
}

const real: ClipFetchingOptions = { ask: requestStream, wait, random: Math.random }

/** What has come so far of one state of the clip. */
interface Download {
  /** Media type. */
  type: string
  etag: string | null
  /** `sha-256` of the whole clip, base64. */
  digest: string | undefined
  bytes: number
  total: number
  chunks: Uint8Array<ArrayBuffer>[]
}

/**
 * Downloads a clip, and goes on where it broke off; what changed meanwhile is fetched anew.
 * @returns undefined where it is larger than a page should hold
 * @throws PorchlightError what the gateway says; `gateway_unreachable` after several tries; `download_damaged` where it is not
 * what was sent. Pages that are not secure have no means to tell.
 */
export async function fetchClip(
  path: string,
  { signal, progress }: ClipFetching,
  { ask, wait: pause, random }: ClipFetchingOptions = real,
): Promise<Blob | undefined> {
  let download: Download | undefined
  const read = async () => {
    const { status, headers, chunks, cancel } = await ask(path, { headers: resumingHeaders(download), signal })
    // else it is the whole from its beginning: the first time, or another state of the recording
    if (!download || status !== 206) download = begun(headers)
    else if (!goesOn(headers, download)) throw new PorchlightError('download_damaged')
    if (download.total > largestBytes) return cancel()
    for await (const chunk of chunks()) {
      download.chunks.push(chunk)
      download.bytes += chunk.byteLength
      failures = 0
      progress(download.bytes / download.total)
    }
  }
  let failures = 0
  for (let tries = 1; ; tries += 1) {
    while (!download || download.bytes < download.total) {
      try {
        await read()
        if (download && download.total > largestBytes) return undefined
      } catch (error) {
        failures += 1
        const brokenOff = error instanceof PorchlightError && error.code === 'gateway_unreachable'
        if (signal.aborted || !brokenOff || failures >= maxFailures) throw error
        await pause(backoffMs(failures - 1, random), signal)
      }
    }
    const clip = new Blob(download.chunks, { type: download.type })
    if (await isAsSent(clip, download.digest)) return clip
    if (tries > 1) throw new PorchlightError('download_damaged')
    download = undefined
  }
}

/** RFC 9110 §13.1.5: the rest, if the clip is still the same. */
function resumingHeaders(download: Download | undefined): Record<string, string> {
  const want = { 'want-repr-digest': 'sha-256=1' }
  if (!download?.etag || download.bytes === 0) return want
  return { ...want, range: `bytes=${download.bytes}-`, 'if-range': download.etag }
}

function goesOn(headers: Headers, { bytes, etag }: Download): boolean {
  return headers.get('etag') === etag && headers.get('content-range')?.startsWith(`bytes ${bytes}-`) === true
}

function begun(headers: Headers): Download {
  const total = Number(headers.get('content-length') ?? Number.NaN)
  const digest = /sha-256=:([^:]+):/.exec(headers.get('repr-digest') ?? '')?.[1]
  const type = headers.get('content-type') ?? 'video/mp4'
  return { type, etag: headers.get('etag'), digest, bytes: 0, total, chunks: [] }
}

async function isAsSent(clip: Blob, digest: string | undefined): Promise<boolean> {
  if (digest === undefined || !globalThis.crypto?.subtle) return true
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', await clip.arrayBuffer()))
  return btoa(String.fromCharCode(...hash)) === digest
}

function wait(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms)
    signal.addEventListener('abort', () => {
      clearTimeout(timer)
      reject(signal.reason)
    })
  })
}
