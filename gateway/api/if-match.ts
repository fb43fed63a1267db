import { PorchlightError } from '@porchlight/proto/errors.ts'

/**
 * Checks that a request means what is there now (RFC 9110 §13.1.1): `*`, or a list with its tag. Weak tags never match.
 * @param header value of `If-Match`
 * @param tag strong entity tag, quotes included
 * @throws PorchlightError `session_tag_missing`, `session_tag_mismatch`
 */
export function mustMatch(header: string | undefined, tag: string): void {
  if (header === undefined) throw new PorchlightError('session_tag_missing')
  const tags = header.split(',').map((one) => one.trim())
  if (!tags.includes('*') && !tags.includes(tag)) throw new PorchlightError('session_tag_mismatch')
}
