import { join } from 'node:path'
import { PorchlightError } from '@porchlight/proto/errors.ts'
import { type Enrolment, parseEnrolment } from '@porchlight/proto/identity/enrolment.ts'
import { generateIdentity, type Identity, identityFromPem, identityToPem } from '@porchlight/proto/identity/keys.ts'
import { readDataFile, writeDataFile } from './data-file.ts'

const keyFile = (dataDir: string) => join(dataDir, 'device.key')
const enrolmentFile = (dataDir: string) => join(dataDir, 'enrolment')

/** The key of this device; made at the first call (PKCS#8 PEM, mode 0600). @throws PorchlightError `identity_unreadable` */
export async function openIdentity(dataDir: string): Promise<Identity> {
  const pem = readDataFile(keyFile(dataDir))
  if (pem !== undefined) return identityFromPem(pem)
  const identity = generateIdentity()
  await writeDataFile(keyFile(dataDir), identityToPem(identity))
  return identity
}

/** Keeps the line that `gateway enroll` has printed. @throws PorchlightError `enrolment_invalid`, `identity_unreadable` */
export async function storeEnrolment(dataDir: string, line: string): Promise<Enrolment> {
  const enrolment = parseEnrolment(line)
  await writeDataFile(enrolmentFile(dataDir), `${line.trim()}\n`)
  return enrolment
}

/** @throws PorchlightError `not_enrolled`, `enrolment_invalid`, `identity_unreadable` */
export function readEnrolment(dataDir: string): Enrolment {
  const line = readDataFile(enrolmentFile(dataDir))
  if (line === undefined) throw new PorchlightError('not_enrolled')
  return parseEnrolment(line)
}
