import { z } from 'zod'
import { PorchlightError } from '../errors.ts'
import { name } from '../ids.ts'

/** What `gateway enroll` prints and `device enroll` takes: one line, `porchlight1.` + base64url of this as JSON. */
export const enrolment = z.strictObject({
  device: name,
  /** Gateway's Ed25519 public key, pinned by the device. */
  gatewayKey: z.string().regex(/^[A-Za-z0-9_-]{43}$/),
  /** Base URL of the gateway's HTTP API, for footage. */
  api: z.url(),
  /** SHA-256 fingerprint (hex) of the gateway's own certificate authority, where TLS is from the house's own authority. */
  ca: z.string().optional(),
  /** Broker of the devices. */
  broker: z.url(),
  /** For a broker that is not the embedded one: the account that its operator made. Else the device token is used. */
  brokerUser: z.string().optional(),
  brokerPassword: z.string().optional(),
})

export type Enrolment = z.infer<typeof enrolment>

const prefix = 'porchlight1.'

export function formatEnrolment(value: Enrolment): string {
  return prefix + Buffer.from(JSON.stringify(value)).toString('base64url')
}

/** @throws PorchlightError `enrolment_invalid` */
export function parseEnrolment(line: string): Enrolment {
  const text = line.trim()
  if (!text.startsWith(prefix)) throw new PorchlightError('enrolment_invalid', `it begins with ${prefix}`)
  try {
    return enrolment.parse(JSON.parse(Buffer.from(text.slice(prefix.length), 'base64url').toString('utf8')))
  } catch (cause) {
    throw new PorchlightError('enrolment_invalid', 'cut off or changed on the way', { cause })
  }
}
