import { randomBytes, timingSafeEqual } from 'node:crypto'
import { join } from 'node:path'
import { readDataFile, writeDataFile } from './data-file.ts'

/** Where the token of the local HTTP server is kept, for the programs that ring. */
export const localTokenFile = (dataDir: string) => join(dataDir, 'ring-token')

/** The bearer token of `POST /ring`; made at the first start (mode 0600). @throws PorchlightError `identity_unreadable` */
export async function openLocalToken(dataDir: string): Promise<string> {
  const kept = readDataFile(localTokenFile(dataDir))?.trim()
  if (kept) return kept
  const token = randomBytes(24).toString('base64url')
  await writeDataFile(localTokenFile(dataDir), `${token}\n`)
  return token
}

/** Compares in constant time. */
export function isToken(given: string, token: string): boolean {
  const one = Buffer.from(given)
  const other = Buffer.from(token)
  return one.byteLength === other.byteLength && timingSafeEqual(one, other)
}
