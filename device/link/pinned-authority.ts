import { X509Certificate } from 'node:crypto'
import { join } from 'node:path'
import { connect, type DetailedPeerCertificate } from 'node:tls'
import { PorchlightError } from '@porchlight/proto/errors.ts'
import { readDataFile, writeDataFile } from '../identity/data-file.ts'

/** Longest wait for a server's certificates, ms. */
const timeoutMs = 10_000
/** Certificates looked at in one chain. */
const maxChain = 8

const plainFingerprint = (text: string) => text.replaceAll(':', '').toLowerCase()

/** SHA-256 of a certificate, hex without colons, lower case. */
function fingerprintOf(pem: string): string {
  return plainFingerprint(new X509Certificate(pem).fingerprint256)
}

function chainOf(leaf: DetailedPeerCertificate): DetailedPeerCertificate[] {
  const chain: DetailedPeerCertificate[] = []
  let next: DetailedPeerCertificate | undefined = leaf
  while (next?.raw !== undefined && chain.length < maxChain && !chain.includes(next)) {
    chain.push(next)
    next = next.issuerCertificate
  }
  return chain
}

/** The certificate with this fingerprint out of the chain that a server shows; nothing is sent to it and nothing taken but that. */
function fetchAuthority(url: URL, fingerprint: string, signal: AbortSignal): Promise<string> {
  const port = Number(url.port || (url.protocol === 'mqtts:' ? 8883 : 443))
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  // The chain cannot be verified before its root is known; the root proves itself by its SHA-256, which the enrolment pins.
  // Every connection that carries anything is then verified against this root in the ordinary way.
  const socket = connect({ host, port, servername: /[a-z]/i.test(host) ? host : '', rejectUnauthorized: false })
  const abort = () => socket.destroy(new PorchlightError('broker_unreachable', 'closing'))
  signal.addEventListener('abort', abort, { once: true })
  socket.setTimeout(timeoutMs, () => socket.destroy(new Error('timeout')))
  socket.once('error', (cause) => reject(new PorchlightError('broker_unreachable', `${host}:${port}`, { cause })))
  socket.once('secureConnect', () => {
    const found = chainOf(socket.getPeerCertificate(true))
      .map((certificate) => new X509Certificate(certificate.raw).toString())
      .find((pem) => fingerprintOf(pem) === fingerprint)
    if (found === undefined) reject(new PorchlightError('authority_unknown', `${host}:${port}`))
    else resolve(found)
    socket.destroy()
  })
  socket.once('close', () => {
    signal.removeEventListener('abort', abort)
    reject(new PorchlightError('broker_unreachable', `${host}:${port}`))
  })
  return promise
}

/**
 * The house's own certificate authority, known by the fingerprint in the enrolment: from the data directory, or from the
 * chain of the first server that shows it (then kept). Undefined where the enrolment pins none.
 */
export class PinnedAuthority {
  readonly #path: string
  readonly #fingerprint: string | undefined
  #pem: string | undefined

  /** @param fingerprint SHA-256, hex, with or without colons */
  constructor(dataDir: string, fingerprint: string | undefined) {
    this.#path = join(dataDir, 'authority.pem')
    this.#fingerprint = fingerprint === undefined ? undefined : plainFingerprint(fingerprint)
  }

  /**
   * What to give as `ca` to a TLS connection to `url`.
   * @throws PorchlightError `authority_unknown` (another authority there), `broker_unreachable`
   */
  async for(url: URL, signal: AbortSignal): Promise<string | undefined> {
    const fingerprint = this.#fingerprint
    if (fingerprint === undefined || (url.protocol !== 'https:' && url.protocol !== 'mqtts:')) return undefined
    this.#pem ??= this.#kept(fingerprint)
    if (this.#pem === undefined) {
      const pem = await fetchAuthority(url, fingerprint, signal)
      await writeDataFile(this.#path, pem)
      this.#pem = pem
    }
    return this.#pem
  }

  #kept(fingerprint: string): string | undefined {
    const pem = readDataFile(this.#path)
    return pem?.startsWith('-----BEGIN CERTIFICATE') && fingerprintOf(pem) === fingerprint ? pem : undefined
  }
}
