import { join } from 'node:path'
import type { GatewayConfig } from './schema.ts'

/** Where the index is kept. */
export function indexPath(config: GatewayConfig): string {
  return join(config.dataDir, 'index.sqlite')
}

/** Where recordings are kept. */
export function recordingsDirectory(config: GatewayConfig): string {
  return config.recordings.directory ?? join(config.dataDir, 'recordings')
}

/** Lives of sign-in links and sessions, ms. */
export function signInLives(config: GatewayConfig): { linkMs: number; sessionMs: number } {
  return { linkMs: config.auth.linkMinutes * 60_000, sessionMs: config.auth.sessionDays * 86_400_000 }
}
