/** The page that the address names. Everything stands after `#`, so that the gateway never sees a sign-in token in a log. */
export type Route =
  | { page: 'cameras' }
  | { page: 'camera'; id: string }
  | { page: 'earlier'; id: string; at?: number | undefined }
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
  if (page === 'earlier' && id) return { page, id: decode(id), at: momentIn(query) }
  if (page === 'events' || page === 'settings') return { page }
  return { page: 'cameras' }
}

/** The address of a page, for links. */
export function hrefOf(route: Exclude<Route, { page: 'sign-in' }>): string {
  if (route.page === 'cameras') return '#/'
  const at = route.page === 'earlier' && route.at !== undefined ? `?at=${Math.round(route.at)}` : ''
  return 'id' in route ? `#/${route.page}/${encodeURIComponent(route.id)}${at}` : `#/${route.page}`
}

/** The token in what somebody pasted: the whole link, or the token alone. */
export function tokenIn(pasted: string): string | undefined {
  const text = pasted.trim()
  const hash = text.indexOf('#')
  if (hash < 0) return /^[\w-]{8,}$/.test(text) ? text : undefined
  const route = parseRoute(text.slice(hash))
  return route.page === 'sign-in' ? route.token : undefined
}

/** `at`, ms since the Unix epoch. */
function momentIn(query: string): number | undefined {
  const text = new URLSearchParams(query).get('at') ?? ''
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch (error) {
    if (error instanceof URIError) return text
    throw error
  }
}
