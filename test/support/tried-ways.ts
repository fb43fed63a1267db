/** What is used of a page of either browser's driver. */
interface Page {
  on(event: 'response', listener: (response: { url(): string; status(): number }) => void): unknown
}

/** Notes by which ways a page tries to get a picture, and what it is told, e.g. `whep 406`. */
export function triedWays(page: Page): readonly string[] {
  const tried: string[] = []
  page.on('response', (response) => {
    const { pathname } = new URL(response.url())
    if (/\/(whep|live\.mp4)$/.test(pathname)) tried.push(`${pathname.split('/').at(-1)} ${response.status()}`)
  })
  return tried
}
