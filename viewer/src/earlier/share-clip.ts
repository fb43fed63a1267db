/** Whether this browser gives files to other apps; else the link is shared. */
export function canShare(): boolean {
  return navigator.canShare?.({ files: [new File([], 'clip.mp4', { type: 'video/mp4' })] }) === true
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
