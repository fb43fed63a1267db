import { X509Certificate } from 'node:crypto'
import { hostname } from 'node:os'
import type { GatewayConfig } from './schema.ts'

/** Base URL of the API as others reach it, without a slash at its end. @param port the one really listened on */
export function publicUrl(config: GatewayConfig, port = config.http.port): string {
  const { host, publicUrl: said } = config.http
  return said?.replace(/\/$/, '') ?? `${config.tls ? 'https' : 'http'}://${reachable(host)}:${port}`
}

/** URL of the broker as devices reach it. @param port the one really listened on */
export function devicesBrokerUrl(config: GatewayConfig, port = config.broker.port): string {
  const { mode, url, host, publicUrl: said } = config.broker
  if (said !== undefined) return said
  if (mode === 'url' && url !== undefined) return url
  return `${config.tls ? 'mqtts' : 'mqtt'}://${reachable(host)}:${port}`
}

/**
 * Fingerprint (SHA-256, hex, lower case) of the house's own authority, where the certificate file ends in one; devices pin
 * it. Undefined for certificates of a public authority.
 * @param pem certificate chain
 */
export function ownAuthority(pem: string): string | undefined {
  const chain = pem.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? []
  const roots = chain
    .map((text) => new X509Certificate(text))
    .filter((certificate) => certificate.checkIssued(certificate))
  return roots.at(-1)?.fingerprint256.replaceAll(':', '').toLowerCase()
}

/** A host to write into URLs: a wildcard is no address to call. */
function reachable(host: string): string {
  if (host === '0.0.0.0' || host === '::') return hostname()
  return host.includes(':') ? `[${host}]` : host
}

/** The token stands after `#`, so that it is in no server's log. */
export function signInLink(base: string, token: string): string {
  return `${base}/#/sign-in?token=${token}`
}
