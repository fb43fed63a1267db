import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { formatEnrolment } from '@porchlight/proto/identity/enrolment.ts'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openIdentity, readEnrolment, storeEnrolment } from '../../../../device/identity/device-identity.ts'
import { EpochCounter } from '../../../../device/identity/epoch.ts'
import { isToken, openLocalToken } from '../../../../device/identity/local-token.ts'

let dataDir: string
beforeEach(async () => {
  dataDir = join(await mkdtemp(join(tmpdir(), 'porchlight-identity-')), 'deeper')
})
afterEach(() => rm(join(dataDir, '..'), { recursive: true }))

const enrolment = {
  device: 'porch',
  gatewayKey: 'k'.repeat(43),
  api: 'http://127.0.0.1:4880',
  broker: 'mqtt://127.0.0.1:4883',
}

describe('identity', () => {
  it('makes its key once, for this user alone', async () => {
    const first = await openIdentity(dataDir)
    expect((await openIdentity(dataDir)).publicKey).toBe(first.publicKey)
    expect((await stat(join(dataDir, 'device.key'))).mode & 0o777).toBe(0o600)
  })

  it('says that the key file is no key', async () => {
    await openIdentity(dataDir)
    await writeFile(join(dataDir, 'device.key'), 'garbage')
    await expect(openIdentity(dataDir)).rejects.toMatchObject({ code: 'identity_unreadable' })
  })

  it('keeps the enrolment, and refuses a damaged line', async () => {
    expect(() => readEnrolment(dataDir)).toThrow(expect.objectContaining({ code: 'not_enrolled' }))
    await expect(storeEnrolment(dataDir, 'porchlight1.abc')).rejects.toMatchObject({ code: 'enrolment_invalid' })
    await storeEnrolment(dataDir, `  ${formatEnrolment(enrolment)}\n`)
    expect(readEnrolment(dataDir)).toEqual(enrolment)
  })

  it('makes a local token once', async () => {
    const token = await openLocalToken(dataDir)
    expect(await openLocalToken(dataDir)).toBe(token)
    expect(isToken(token, token)).toBe(true)
    expect(isToken('', token)).toBe(false)
    expect(isToken(`${token}x`, token)).toBe(false)
  })
})

describe('EpochCounter', () => {
  it('always goes up, over restarts, power cuts and a lost file', async () => {
    let now = 1_800_000_000_000
    const epochs: number[] = []
    for (let boot = 0; boot < 3; boot += 1) {
      const counter = new EpochCounter(dataDir, () => now)
      for (let count = 0; count < 100; count += 1) epochs.push(await counter.next())
    }
    now += 86_400_000
    await writeFile(join(dataDir, 'epoch'), '')
    epochs.push(await new EpochCounter(dataDir, () => now).next())
    expect(epochs).toEqual([...new Set(epochs)].sort((a, b) => a - b))
  })
})
