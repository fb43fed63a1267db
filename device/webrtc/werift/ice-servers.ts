import { lookup } from 'node:dns/promises'

export interface StunServer {
  kind: 'stun'
  host: string
  port: number
}

export interface TurnServer {
  kind: 'turn'
  host: string
  port: number
  username: string
  credential: string
}

/** Servers that are asked for one session. */
const maxServers = 4

/**
 * The servers that this engine can use: STUN, and TURN by UDP (`IceServers` brings TURN by TCP and TLS to UDP).
 * @param urls as in `SessionOptions.iceServers`
 */
export function usableServers(urls: readonly string[]): (StunServer | TurnServer)[] {
  return urls.flatMap((url) => parse(url) ?? []).slice(0, maxServers)
}

function parse(url: string): StunServer | TurnServer | undefined {
  const match =
    /^(stun|turn):(?:([^:@]*):([^@]*)@)?(\[[0-9a-f:.]+\]|[^:?@]+)(?::(\d{1,5}))?(?:\?transport=udp)?$/i.exec(url)
  if (match === null) return undefined
  const [, kind, username, credential, name, given] = match
  const host = name!.replaceAll(/[[\]]/g, '')
  const port = Number(given ?? 3478)
  if (kind!.toLowerCase() === 'stun') return { kind: 'stun', host, port }
  if (username === undefined || credential === undefined) return undefined
  try {
    return {
      kind: 'turn',
      host,
      port,
      username: decodeURIComponent(username),
      credential: decodeURIComponent(credential),
    }
  } catch {
    return undefined
  }
}

/** @throws Error where the name has no such address */
export async function resolve(host: string, family: 0 | 4 | 6 = 0): Promise<string> {
  return (await lookup(host, { family })).address
}
