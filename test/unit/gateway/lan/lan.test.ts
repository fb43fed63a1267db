import { X509Certificate } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { openLan } from '../../../../gateway/lan/lan.ts'
import { phoneKind } from '../../../../gateway/lan/phone-kind.ts'

const iPhone = 'Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15'
const android = 'Mozilla/5.0 (Linux; Android 16; Pixel 10) AppleWebKit/537.36 Chrome/150.0 Mobile Safari/537.36'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'porchlight-lan-'))
})
afterEach(async () => {
  vi.useRealTimers()
  await rm(directory, { recursive: true })
})

function open(addresses: () => string[], onChange = () => {}) {
  return openLan({
    directory,
    house: 'home',
    httpsPort: 4880,
    trustPort: 0,
    now: Date.now,
    log: pino({ level: 'silent' }),
    addresses,
    hostName: false,
    onChange,
  })
}

test('the page offers the authority and begins with the steps of the phone that asks', async () => {
  await using lan = await open(() => ['192.168.1.7'])
  const base = lan.trustUrl.replace('192.168.1.7', '127.0.0.1')
  const page = async (agent: string) => (await fetch(base, { headers: { 'user-agent': agent } })).text()
  const forApple = await page(iPhone)
  expect(forApple).toContain('<details open><summary>iPhone and iPad')
  expect(forApple).toContain('Certificate Trust Settings')
  expect(forApple).toContain(lan.fingerprint)
  expect(forApple).toContain('href="https://192.168.1.7:4880"')
  expect(await page(android)).toContain('<details open><summary>Android')
  expect(await page('curl/8')).toContain('<details open><summary>Computers')

  const download = await fetch(`${base}/porchlight-ca.crt`)
  expect(download.headers.get('content-type')).toBe('application/x-x509-ca-cert')
  const authority = new X509Certificate(Buffer.from(await download.arrayBuffer()))
  expect(authority.fingerprint256).toBe(lan.fingerprint)
  expect(forApple).toContain(authority.subject.replace('CN=', ''))
})

test('the page is a page and nothing else', async () => {
  await using lan = await open(() => ['192.168.1.7'])
  const base = lan.trustUrl.replace('192.168.1.7', '127.0.0.1')
  expect((await fetch(`${base}/authority.key`, { redirect: 'manual' })).status).toBe(302)
  expect((await fetch(base, { method: 'POST' })).status).toBe(405)
  expect((await fetch(base)).headers.get('content-security-policy')).toContain("default-src 'none'")
})

test('a new address brings a new certificate, and says so', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  let addresses = ['192.168.1.7']
  const changed = Promise.withResolvers<void>()
  await using lan = await open(() => addresses, changed.resolve)
  addresses = ['192.168.1.99']
  vi.advanceTimersByTime(10_000)
  await changed.promise
  expect(lan.address).toBe('192.168.1.99')
  expect(new X509Certificate(await readFile(lan.cert)).checkIP('192.168.1.99')).toBe('192.168.1.99')
})

test('a machine without a network says so', async () => {
  await expect(open(() => [])).rejects.toMatchObject({ code: 'lan_address_missing' })
})

test.each([
  [iPhone, 'ios'],
  [android, 'android'],
  ['Mozilla/5.0 (X11; Linux x86_64)', 'other'],
  ['', 'other'],
])('%s is a phone of the kind %s', (agent, kind) => {
  expect(phoneKind(agent)).toBe(kind)
})
