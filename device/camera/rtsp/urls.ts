/** A camera's address taken apart; the port is filled in. */
export interface RtspAddress {
  secure: boolean
  host: string
  port: number
  /** For the request line: without user and password. */
  url: string
}

/** Parses `rtsp://` and `rtsps://` addresses; undefined where it is none. The path and query are kept byte for byte. */
export function parseAddress(url: string): RtspAddress | undefined {
  const match = /^(rtsps?):\/\/(?:[^/?#]*@)?(\[[0-9a-f:.%]+\]|[^:/?#]+)(?::(\d{1,5}))?(.*)$/i.exec(url.trim())
  if (!match) return undefined
  const secure = match[1]!.toLowerCase() === 'rtsps'
  const port = match[3] === undefined ? (secure ? 322 : 554) : Number(match[3])
  if (port < 1 || port > 65_535) return undefined
  const host = match[2]!
  const rest = match[4]!.replace(/#.*$/, '')
  const shown = match[3] === undefined ? host : `${host}:${port}`
  return { secure, host: host.replace(/^\[|\]$/g, ''), port, url: `${match[1]!.toLowerCase()}://${shown}${rest}` }
}

/**
 * Bases that control attributes may be relative to, the likeliest first: `Content-Base`, `Content-Location`, the
 * address that was asked (RFC 2326 C.1.1). A base that is broken, relative or names another host keeps only its path.
 */
export function controlBases(requestUrl: string, contentBase?: string, contentLocation?: string): string[] {
  const bases: string[] = []
  const origin = /^rtsps?:\/\/[^/?#]+/i.exec(requestUrl)?.[0] ?? requestUrl
  for (const raw of [contentBase, contentLocation]) {
    const text = raw?.trim().replace(/^rtsps?:\/\/(?=rtsps?:\/\/)/i, '')
    if (!text) continue
    // whatever stands for the host there (0.0.0.0, an inner address, an unbracketed IPv6), we speak to the one we dialled
    const path = /^rtsps?:\/\/[^/?]*(.*)$/i.exec(text)?.[1] ?? (text.startsWith('/') ? text : undefined)
    if (path !== undefined) bases.push(origin + path)
  }
  bases.push(requestUrl)
  return [...new Set(bases)]
}

/**
 * Resolves an `a=control` value the way cameras mean it: absolute, `*` or nothing (the base itself), else appended to
 * the base with one slash, behind a query too (that is what live555, ffmpeg and the cameras themselves do).
 */
export function resolveControl(base: string, control: string | undefined): string {
  if (control === undefined || control === '' || control === '*') return base
  const absolute = control.replace(/^rtsps?:\/\/(?=rtsps?:\/\/)/i, '')
  if (/^rtsps?:\/\//i.test(absolute)) return absolute
  if (base.endsWith('/') && control.startsWith('/')) return base + control.slice(1)
  return base.endsWith('/') || control.startsWith('/') ? base + control : `${base}/${control}`
}
