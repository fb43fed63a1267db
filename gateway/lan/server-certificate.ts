import { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Authority, issueCertificate, renewDays } from './authority.ts'
import { writePrivately } from './write-privately.ts'

export interface CertificateFiles {
  /** PEM file: certificate of the gateway and of the authority. */
  cert: string
  key: string
  /** Whether it was made by this call. */
  renewed: boolean
}

/**
 * Sees to a certificate for exactly these names and addresses: the one on disk where it fits, else a new one.
 * @param now ms since the Unix epoch
 */
export async function ensureCertificate(
  directory: string,
  authority: Authority,
  names: readonly string[],
  addresses: readonly string[],
  now: number,
): Promise<CertificateFiles> {
  const files = { cert: join(directory, 'server.pem'), key: join(directory, 'server.key') }
  const known = await readCertificate(files.cert)
  if (known && fits(known, new X509Certificate(authority.certificate), names, addresses, now))
    return { ...files, renewed: false }
  const { chain, key } = await issueCertificate(authority, names, addresses, now)
  await writePrivately(files.key, key)
  await writePrivately(files.cert, chain)
  return { ...files, renewed: true }
}

function fits(
  certificate: X509Certificate,
  authority: X509Certificate,
  names: readonly string[],
  addresses: readonly string[],
  now: number,
): boolean {
  const alternatives = new Set((certificate.subjectAltName ?? '').split(', '))
  const wanted = [...names.map((name) => `DNS:${name}`), ...addresses.map((address) => `IP Address:${address}`)]
  return (
    certificate.verify(authority.publicKey) &&
    Date.parse(certificate.validTo) > now + renewDays * 86_400_000 &&
    alternatives.size === wanted.length &&
    wanted.every((name) => alternatives.has(name))
  )
}

async function readCertificate(path: string): Promise<X509Certificate | undefined> {
  let pem: string
  try {
    pem = await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  return new X509Certificate(pem)
}
