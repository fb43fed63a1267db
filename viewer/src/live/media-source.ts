/** Media Source Extensions; iPhones have them as ManagedMediaSource alone. */
export const Source: typeof MediaSource | undefined =
  (globalThis as { ManagedMediaSource?: typeof MediaSource }).ManagedMediaSource ?? globalThis.MediaSource

/**
 * Puts a new source into a <video>.
 * @throws DOMException `AbortError` where `signal` came first
 */
export async function openSource(video: HTMLVideoElement, source: MediaSource, signal: AbortSignal): Promise<void> {
  const url = URL.createObjectURL(source)
  try {
    const opened = heard(source, 'sourceopen', signal)
    video.srcObject = null
    // ManagedMediaSource opens on no other terms: what it plays cannot be handed on to a television.
    video.disableRemotePlayback = true
    video.src = url
    await opened
  } finally {
    URL.revokeObjectURL(url)
  }
}

/** Appends bytes; where the browser has no room, what was shown is dropped first. @throws DOMException where that does not help */
export async function append(buffer: SourceBuffer, bytes: BufferSource, shownTo: number): Promise<void> {
  try {
    buffer.appendBuffer(bytes)
  } catch (error) {
    if (!(error instanceof DOMException) || error.name !== 'QuotaExceededError') throw error
    await dropBefore(buffer, shownTo)
    buffer.appendBuffer(bytes)
  }
  await settled(buffer)
}

/** Drops what lies before a time, s. */
export async function dropBefore(buffer: SourceBuffer, time: number): Promise<void> {
  if (buffer.buffered.length > 0 && time > buffer.buffered.start(0)) await drop(buffer, time)
}

/** The same, whether or not anything is there: a source that had ended is open again. */
export async function drop(buffer: SourceBuffer, time: number): Promise<void> {
  buffer.remove(0, time)
  await settled(buffer)
}

function settled(buffer: SourceBuffer): Promise<void> {
  return buffer.updating ? heard(buffer, 'updateend') : Promise.resolve()
}

function heard(target: EventTarget, event: string, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted()
    target.addEventListener(event, () => resolve(), { once: true })
    signal?.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}
