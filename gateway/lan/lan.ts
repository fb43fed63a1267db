import { X509Certificate } from 'node:crypto'
import { networkInterfaces } from 'node:os'
import { PorchlightError } from '@porchlight/proto/errors.ts'
import type { Logger } from 'pino'
import { openAuthority } from './authority.ts'
import { takeHostName } from './host-name.ts'
import { lanAddresses } from './lan-addresses.ts'
import { ensureCertificate } from './server-certificate.ts'
import { openTrustPage } from './trust-page.ts'

/** How often addresses and the age of the certificate are looked at, ms. */
const lookMs = 10_000

export interface LanOptions {
  /** Authority and certificates live here. */
  directory: string
  /** Name of the house, as phones show it among their certificates. */
  house: string
  /** Port of the gateway's HTTPS. */
  httpsPort: number
  /** Port of the page that explains how to trust; 0: any. */
  trustPort: number
  now(): number
  log: Logger
  /** Addresses of this machine in the house. */
  addresses?(): string[]
  /** Whether to take a host name by mDNS. */
  hostName: boolean
  /** The certificate or the address is another: the gateway must start again. */
  onChange(): void
}

/** The gateway's place in the local network. */
export interface Lan extends AsyncDisposable {
  /** To bind to: the first address of this machine in the house. */
  readonly address: string
  /** Where phones find it: the host name where there is one, else the address. */
  readonly url: string
  readonly cert: string
  readonly key: string
  /** Of the authority, SHA-256. */
  readonly fingerprint: string
  readonly trustUrl: string
  close(): Promise<void>
}

/**
 * Opens the gateway to the house: authority, certificate, host name, the page that explains.
 * @throws PorchlightError `lan_address_missing`, `authority_unreadable`, `port_in_use`
 */
export async function openLan(options: LanOptions): Promise<Lan> {
  const { directory, house, httpsPort, now, log } = options
  const look = options.addresses ?? (() => lanAddresses(networkInterfaces()))
  let addresses = look()
  if (addresses[0] === undefined) throw new PorchlightError('lan_address_missing')
  const authority = await openAuthority(directory, house, now)
  const hostName = options.hostName ? await takeHostName(addresses, httpsPort, log) : undefined
  const certify = () =>
    ensureCertificate(
      directory,
      authority,
      [...(hostName ? [hostName.name] : []), 'localhost'],
      [...addresses, '127.0.0.1'],
      now(),
    )
  const files = await certify()
  const lan = { address: addresses[0], host: hostName?.name }
  const url = () => `https://${lan.host ?? lan.address}:${httpsPort}`
  const page = await openTrustPage({ authority: authority.certificate, url }, '0.0.0.0', options.trustPort).catch(
    async (error: unknown) => {
      await hostName?.close()
      throw error
    },
  )
  const check = async () => {
    const found = look()
    // A network that is away for a moment comes back; until then the old addresses are as good as any.
    if (found[0] === undefined) return
    const moved = found[0] !== lan.address
    addresses = found
    lan.address = found[0]
    const { renewed } = await certify()
    if (moved || renewed) options.onChange()
  }
  const timer = setInterval(() => {
    check().catch((error: unknown) => log.error({ err: error }, 'the certificate could not be renewed'))
  }, lookMs)
  timer.unref()
  let closing: Promise<void> | undefined
  const close = () => {
    clearInterval(timer)
    closing ??= Promise.all([page.close(), hostName?.close()]).then(() => undefined)
    return closing
  }
  return {
    get address() {
      return lan.address
    },
    get url() {
      return url()
    },
    get trustUrl() {
      return `http://${lan.address}:${page.port}`
    },
    cert: files.cert,
    key: files.key,
    fingerprint: new X509Certificate(authority.certificate).fingerprint256,
    close,
    [Symbol.asyncDispose]: close,
  }
}
