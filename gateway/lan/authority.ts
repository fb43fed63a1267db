import 'reflect-metadata'
import { randomBytes, webcrypto } from 'node:crypto'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as x509 from '@peculiar/x509'
import { PorchlightError } from '@porchlight/proto/errors.ts'
import { houseOnly, nameConstraints, nameConstraintsOid } from './name-constraints.ts'
import { writePrivately } from './write-privately.ts'

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
const day = 86_400_000
/** A phone trusts it once; it outlives the phone. */
const authorityDays = 3_650
/** Phones take no server certificate of a house's authority that lasts longer than 825 days; ours lasts far less. */
export const certificateDays = 90
/** A certificate is made anew this long before its end. */
export const renewDays = 30

/** The certificate authority made for this house. */
export interface Authority {
  /** PEM of its certificate: what a phone is asked to trust. */
  readonly certificate: string
  readonly key: webcrypto.CryptoKey
}

export interface ServerCertificate {
  /** PEM: the server's certificate, then the authority's. */
  chain: string
  /** PEM (PKCS #8). */
  key: string
}

/**
 * Opens the authority in a directory, or makes it there; its key is readable by its owner only.
 * @param house name of the house, as a phone shows it among its certificates
 * @param now ms since the Unix epoch
 * @throws PorchlightError `authority_unreadable`
 */
export async function openAuthority(directory: string, house: string, now: () => number): Promise<Authority> {
  const paths = { certificate: join(directory, 'authority.pem'), key: join(directory, 'authority.key') }
  const [certificate, key] = await Promise.all([readIfThere(paths.certificate), readIfThere(paths.key)])
  if (certificate !== undefined && key !== undefined) {
    try {
      const authority = { certificate, key: await importKey(key) }
      if (new x509.X509Certificate(certificate).notAfter.getTime() > now() + certificateDays * day) return authority
    } catch (cause) {
      throw new PorchlightError('authority_unreadable', directory, { cause })
    }
  } else if (certificate !== undefined || key !== undefined) {
    // Half of it is there: making it anew would leave phones that trust the old one outside.
    throw new PorchlightError('authority_unreadable', `${directory}: certificate or key is missing`)
  }
  const made = await makeAuthority(house, now())
  await mkdir(directory, { recursive: true, mode: 0o700 })
  await writePrivately(paths.key, await exportKey(made.key))
  await writePrivately(paths.certificate, made.certificate)
  return made
}

async function makeAuthority(house: string, now: number): Promise<Authority> {
  const keys = (await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    // A name of its own: two houses on one phone must not be mixed up.
    name: [{ CN: [`Porchlight ${house} ${randomBytes(3).toString('hex')}`] }],
    notBefore: new Date(now - day),
    notAfter: new Date(now + authorityDays * day),
    signingAlgorithm: algorithm,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      new x509.Extension(nameConstraintsOid, true, nameConstraints(houseOnly) as Uint8Array<ArrayBuffer>),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  return { certificate: certificate.toString('pem'), key: keys.privateKey }
}

/**
 * A server's certificate for host names and addresses.
 * @param now ms since the Unix epoch
 */
export async function issueCertificate(
  authority: Authority,
  names: readonly string[],
  addresses: readonly string[],
  now: number,
): Promise<ServerCertificate> {
  const keys = (await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair
  const issuer = new x509.X509Certificate(authority.certificate)
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: [{ CN: [names[0] ?? addresses[0] ?? 'porchlight'] }],
    issuer: issuer.subject,
    notBefore: new Date(now - day),
    notAfter: new Date(now + certificateDays * day),
    signingAlgorithm: algorithm,
    publicKey: keys.publicKey,
    signingKey: authority.key,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension([
        ...names.map((value) => ({ type: 'dns' as const, value })),
        ...addresses.map((value) => ({ type: 'ip' as const, value })),
      ]),
      await x509.AuthorityKeyIdentifierExtension.create(issuer),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  return { chain: `${certificate.toString('pem')}\n${authority.certificate}\n`, key: await exportKey(keys.privateKey) }
}

/** Positive and of 16 bytes (RFC 5280 §4.1.2.2). */
function serialNumber(): string {
  const bytes = randomBytes(16)
  bytes[0] = (bytes[0]! & 0x3f) | 0x40
  return bytes.toString('hex')
}

async function exportKey(key: webcrypto.CryptoKey): Promise<string> {
  return x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY')
}

function importKey(pem: string): Promise<webcrypto.CryptoKey> {
  const [der] = x509.PemConverter.decode(pem)
  return webcrypto.subtle.importKey('pkcs8', der!, algorithm, true, ['sign'])
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new PorchlightError('authority_unreadable', path, { cause })
  }
}
