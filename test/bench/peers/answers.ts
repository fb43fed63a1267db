/** Whether an HTTP server is there and content. */
export async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(url, { signal: AbortSignal.timeout(1_000) })).ok
  } catch (error) {
    if (error instanceof TypeError || (error as Error).name === 'TimeoutError') return false // nobody listens yet
    throw error
  }
}
