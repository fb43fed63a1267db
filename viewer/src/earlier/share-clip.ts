import { request } from '../api/request.ts'

/** A longer clip is shared as a link, bytes: the page has to hold it. */
const largestBytes = 100 * 1024 * 1024

/** Fetches a clip as a file to share; undefined where it is too large for that, or the browser shares no files. */
export async function fileOf(path: string, name: string, signal: AbortSignal): Promise<File | undefined> {
  const sample = new File([], name, { type: 'video/mp4' })
  if (!navigator.canShare?.({ files: [sample] })) return undefined
  const fetching = new AbortController()
  const response = await request(path, { signal: AbortSignal.any([signal, fetching.signal]), endless: true })
  if (Number(response.headers.get('content-length')) > largestBytes) {
    fetching.abort()
    return undefined
  }
  return new File([await response.blob()], name, { type: 'video/mp4' })
}

/**
 * Hands a clip to another app, or the link where there is no file.
 * @returns `tap-again`: fetching took so long that the browser wants a new tap
 */
export async function sharing(
  file: File | undefined,
  title: string,
  url: string,
): Promise<'done' | 'tap-again' | 'refused'> {
  try {
    await navigator.share(file ? { files: [file], title } : { url, title })
    return 'done'
  } catch (error) {
    const name = error instanceof DOMException ? error.name : ''
    // the person closed the list of apps
    if (name === 'AbortError') return 'done'
    if (name === 'NotAllowedError') return 'tap-again'
    console.info('The clip could not be shared:', error)
    return 'refused'
  }
}
