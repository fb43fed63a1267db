import { lookup as dnsLookup, type LookupAddress } from 'node:dns'
import http from 'node:http'
import https from 'node:https'
import { BlockList, isIP, type LookupFunction } from 'node:net'

export interface PushRequest {
  endpoint: string
  headers: Record<string, string>
  body: Buffer
}

export interface PushAnswer {
  status: number
  /** Seconds, where the service names them. */
  retryAfter: number | undefined
}

const inside = new BlockList()
for (const [address, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['224.0.0.0', 3],
] as const) {
  inside.addSubnet(address, prefix, 'ipv4')
}
for (const [address, prefix] of [
  ['::', 127],
  ['fc00::', 7],
  ['fe80::', 10],
  ['ff00::', 8],
] as const) {
  inside.addSubnet(address, prefix, 'ipv6')
}

/** Whether an address lies inside the house or the machine (RFC 6890 and the like). */
export function isInside(address: string): boolean {
  return inside.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')
}

/** Resolves names, but not to addresses inside: a subscription's host is a stranger's choice. */
const outsideLookup: LookupFunction = (host, options, callback) => {
  dnsLookup(host, { ...options, all: true }, (error, addresses: LookupAddress[]) => {
    const outside = error ? [] : addresses.filter(({ address }) => !isInside(address))
    const first = outside[0]
    if (!first) callback(error ?? Object.assign(new Error('address inside'), { code: 'EACCES' }), '', 0)
    else if (options.all) callback(null, outside)
    else callback(null, first.address, first.family)
  })
}

/**
 * One POST to a push service (RFC 8030 §5). Follows no redirects and reads no body.
 * @param options.allowInsecure also `http:` and addresses inside (tests)
 * @throws Error where no answer came within `timeoutMs`
 */
export function postPush(
  request: PushRequest,
  options: { allowInsecure: boolean; timeoutMs: number },
): Promise<PushAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<PushAnswer>()
  const url = new URL(request.endpoint)
  if (!options.allowInsecure && url.protocol !== 'https:') throw new Error('not https')
  const send = url.protocol === 'https:' ? https.request : http.request
  const outgoing = send(
    url,
    {
      method: 'POST',
      headers: request.headers,
      agent: false,
      signal: AbortSignal.timeout(options.timeoutMs),
      ...(!options.allowInsecure && { lookup: outsideLookup }),
    },
    (answer) => {
      const seconds = Number(answer.headers['retry-after'])
      answer.resume()
      answer.once('error', reject)
      resolve({ status: answer.statusCode ?? 0, retryAfter: Number.isFinite(seconds) ? seconds : undefined })
    },
  )
  outgoing.once('error', reject)
  outgoing.end(request.body)
  return promise
}
