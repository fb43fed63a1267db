/** The page that the address names. Everything stands after `#`, so that the gateway never sees a sign-in token in a log. */
export type Route =
  | { page: 'cameras' }
  | { page: 'camera'; id: string }
  | { page: 'events' }
  | { page: 'event'; id: string }
  | { page: 'settings' }
  | { page: 'sign-in'; token: string | undefined }

/** Reads `location.hash`; an address that is none of ours shows the cameras. */
export function parseRoute(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?', 2)
  const [page, id] = path.split('/', 2)
  if (page === 'sign-in') return { page, token: new URLSearchParams(query).get('token') ?? undefined }
  if ((page === 'camera' || page === 'event') && id) return { page, id: decode(id) }
  if (page === 'events' || page === 'settings') return { page }
  return { page: 'cameras' }
}

/** The address of a page, for links. */
export function hrefOf(route: Exclude<Route, { page: 'sign-in' }>): string {
  if (route.page === 'cameras') return '#/'
  return 'id' in route ? `#/${route.page}/${encodeURIComponent(route.id)}` : `#/${route.page}`
}

/** The token in what somebody pasted: the whole link, or the token alone. */
export function tokenIn(pasted: string): string | undefined {
  const text = pasted.trim()
  const hash = text.indexOf('#')
  if (hash < 0) return /^[\w-]{8,}$/.test(text) ? text : undefined
  const route = parseRoute(text.slice(hash))
  return route.page === 'sign-in' ? route.token : undefined
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch (error) {
    if (error instanceof URIError) return text
    throw error
  }
}
