import type { Relay } from '@porchlight/proto/messages/relay.ts'

/**
 * `Link` header values that tell a client of WHIP or WHEP its TURN servers (RFC 9725 §4.6). What stands in quotes needs no escape:
 * user names of ours are words, credentials base64.
 */
export function iceLinks({ urls, username, credential }: Relay): string[] {
  return urls.map(
    (url) =>
      `<${url}>; rel="ice-server"; username="${username}"; credential="${credential}"; credential-type="password"`,
  )
}
