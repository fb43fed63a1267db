import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PorchlightError } from '@porchlight/proto/errors.ts'
import { generateIdentity, type Identity, identityFromPem, identityToPem } from '@porchlight/proto/identity/keys.ts'
import webPush from 'web-push'
import { z } from 'zod'

/** P-256 key of Web Push (RFC 8292), base64url: subscriptions are bound to it, so it is kept. */
export interface VapidKeys {
  readonly publicKey: string
  readonly privateKey: string
}

export interface GatewayIdentity extends Identity {
  readonly vapid: VapidKeys
}

const vapidSchema = z.strictObject({ publicKey: z.string().min(80), privateKey: z.string().min(40) })

/**
 * The gateway's keys in its data directory (mode 0600), made at the first start. Safe against two programs that start at
 * once: the first file stands.
 * @throws PorchlightError `identity_unreadable`
 */
export async function openIdentity(dataDir: string): Promise<GatewayIdentity> {
  try {
    await mkdir(dataDir, { recursive: true, mode: 0o700 })
    const pem = await readOrMake(join(dataDir, 'identity.pem'), () => identityToPem(generateIdentity()))
    const vapid = await readOrMake(join(dataDir, 'vapid.json'), () => JSON.stringify(webPush.generateVAPIDKeys()))
    return { ...identityFromPem(pem), vapid: vapidSchema.parse(JSON.parse(vapid)) }
  } catch (cause) {
    if (cause instanceof PorchlightError) throw cause
    throw new PorchlightError('identity_unreadable', dataDir, { cause })
  }
}

async function readOrMake(path: string, make: () => string): Promise<string> {
  try {
    await writeFile(path, make(), { mode: 0o600, flag: 'wx' })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  return readFile(path, 'utf8')
}
