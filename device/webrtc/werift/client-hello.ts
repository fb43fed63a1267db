/** Where the cookie of a ClientHello stands (RFC 6347 §4.2.1): behind version, random and session id. */
function cookieAt(body: Buffer): number | undefined {
  const at = 35 + (body[34] ?? 0)
  return at < body.length && at + 1 + body[at]! <= body.length ? at : undefined
}

/** The cookie; empty where the client has none yet, undefined where the message is malformed. */
export function cookieOf(body: Buffer): Buffer | undefined {
  const at = cookieAt(body)
  return at === undefined ? undefined : body.subarray(at + 1, at + 1 + body[at]!)
}

/** The same hello without its cookie. */
export function withoutCookie(body: Buffer): Buffer {
  const at = cookieAt(body)
  if (at === undefined) return body
  return Buffer.concat([body.subarray(0, at), Buffer.of(0), body.subarray(at + 1 + body[at]!)])
}

/** Body of a HelloVerifyRequest. */
export function helloVerifyRequest(cookie: Buffer): Buffer {
  return Buffer.concat([Buffer.of(0xfe, 0xff, cookie.length), cookie])
}
