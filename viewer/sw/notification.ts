/** What the gateway puts into a push message: text at once, the picture later under the same tag. */
interface PushMessage {
  title: string
  body: string
  tag: string
  /** Page to open: `/#/…`. */
  url: string
  kind: string
}

/** What of a notification we set. */
interface Shown {
  body: string
  icon: string
  badge: string
  tag: string
  requireInteraction: boolean
  data: { url: string | undefined }
}

/**
 * The notification for a push message. A browser insists that every push shows something, so that what cannot be read
 * still says that the door wants to be looked at.
 * @param text JSON of the push message, as decrypted by the browser
 */
export function notificationOf(text: string | undefined): { title: string; options: Shown } {
  const message = read(text)
  return {
    title: message.title ?? 'Porchlight',
    options: {
      body: message.body ?? 'Something happened at your door.',
      icon: '/icons/icon-192.png',
      badge: '/icons/badge-96.png',
      tag: message.tag ?? 'porchlight',
      requireInteraction: message.kind === 'ring',
      data: { url: message.url },
    },
  }
}

/** Address of the page that a tap on a notification opens. */
export function targetOf(data: unknown): string {
  const url = field(data, 'url')
  return url?.startsWith('/#/') ? url : '/'
}

function read(text: string | undefined): Partial<PushMessage> {
  let json: unknown
  try {
    json = JSON.parse(text ?? '')
  } catch (error) {
    console.warn('A push message could not be read:', error)
    return {}
  }
  const message: Partial<PushMessage> = {}
  for (const key of ['title', 'body', 'tag', 'url', 'kind'] as const) {
    const value = field(json, key)
    if (value !== undefined) message[key] = value
  }
  return message
}

function field(value: unknown, key: string): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const found = (value as Record<string, unknown>)[key]
  return typeof found === 'string' && found !== '' ? found : undefined
}
