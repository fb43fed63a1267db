import { X509Certificate } from 'node:crypto'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import tls from 'node:tls'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { issueCertificate, openAuthority, type ServerCertificate } from '../../../../gateway/lan/authority.ts'
import { ensureCertificate } from '../../../../gateway/lan/server-certificate.ts'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'porchlight-lan-'))
})
afterEach(() => rm(directory, { recursive: true }))

/** What a client that trusts the authority says to a server with this certificate, called by this name. */
async function handshake(certificate: ServerCertificate, ca: string, servername: string): Promise<string> {
  const server = tls.createServer({ cert: certificate.chain, key: certificate.key }, (socket) => socket.end())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  try {
    return await new Promise((resolve) => {
      const name = /^[\d.]+$/.test(servername) ? { checkServerIdentity: forAddress(servername) } : { servername }
      const socket = tls.connect({ host: '127.0.0.1', port, ca, ...name }, () => {
        resolve('trusted')
        socket.destroy()
      })
      socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.message))
    })
  } finally {
    server.close()
  }
}

const forAddress = (address: string) => (_host: string, certificate: tls.PeerCertificate) =>
  tls.checkServerIdentity(address, certificate)

test('a client that trusts the authority trusts the certificate for its names and addresses, and for no others', async () => {
  const authority = await openAuthority(directory, 'home', Date.now)
  const certificate = await issueCertificate(authority, ['porchlight.local'], ['192.168.1.7', '127.0.0.1'], Date.now())
  expect(await handshake(certificate, authority.certificate, 'porchlight.local')).toBe('trusted')
  expect(await handshake(certificate, authority.certificate, '192.168.1.7')).toBe('trusted')
  expect(await handshake(certificate, authority.certificate, '192.168.1.8')).toContain('does not match certificate')
  expect(await handshake(certificate, authority.certificate, 'door.local')).toContain('does not match certificate')
})

// RFC 5280 §4.2.1.10
test('what the authority signs for the internet is refused: its key is no use to a thief', async () => {
  const authority = await openAuthority(directory, 'home', Date.now)
  const name = await issueCertificate(authority, ['bank.example'], ['127.0.0.1'], Date.now())
  expect(await handshake(name, authority.certificate, 'bank.example')).toBe('permitted subtree violation')
  const address = await issueCertificate(authority, ['porchlight.local'], ['8.8.8.8'], Date.now())
  expect(await handshake(address, authority.certificate, 'porchlight.local')).toBe('permitted subtree violation')
})

test('the authority is made once, and its key is its owner’s alone', async () => {
  const first = await openAuthority(directory, 'home', Date.now)
  const second = await openAuthority(directory, 'home', Date.now)
  expect(second.certificate).toBe(first.certificate)
  expect((await stat(join(directory, 'authority.key'))).mode & 0o777).toBe(0o600)
  const certificate = new X509Certificate(first.certificate)
  expect(certificate.ca).toBe(true)
  expect(certificate.subject).toMatch(/^CN=Porchlight home [0-9a-f]{6}$/)
})

test('a key that is gone or broken is said, and never silently replaced', async () => {
  await openAuthority(directory, 'home', Date.now)
  await writeFile(join(directory, 'authority.key'), 'nonsense')
  await expect(openAuthority(directory, 'home', Date.now)).rejects.toMatchObject({ code: 'authority_unreadable' })
  await rm(join(directory, 'authority.key'))
  await expect(openAuthority(directory, 'home', Date.now)).rejects.toMatchObject({ code: 'authority_unreadable' })
})

test('phones take it: a server certificate says serverAuth and lasts at most 825 days', async () => {
  const authority = await openAuthority(directory, 'home', Date.now)
  const { chain } = await issueCertificate(authority, ['porchlight.local'], [], Date.now())
  const certificate = new X509Certificate(chain)
  expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1'])
  const days = (Date.parse(certificate.validTo) - Date.parse(certificate.validFrom)) / 86_400_000
  expect(days).toBeLessThanOrEqual(825)
})

test('the certificate on disk is kept while it fits, and made anew for other addresses or when it is old', async () => {
  const authority = await openAuthority(directory, 'home', Date.now)
  const ensure = (addresses: string[], now: number) =>
    ensureCertificate(directory, authority, ['porchlight.local'], addresses, now)
  const now = Date.now()
  expect((await ensure(['192.168.1.7'], now)).renewed).toBe(true)
  const { cert, key, renewed } = await ensure(['192.168.1.7'], now)
  expect(renewed).toBe(false)
  expect((await stat(key)).mode & 0o777).toBe(0o600)
  const before = await readFile(cert, 'utf8')
  expect((await ensure(['192.168.1.9'], now)).renewed).toBe(true)
  expect(await readFile(cert, 'utf8')).not.toBe(before)
  expect((await ensure(['192.168.1.9'], now + 59 * 86_400_000)).renewed).toBe(false)
  expect((await ensure(['192.168.1.9'], now + 61 * 86_400_000)).renewed).toBe(true)
})
