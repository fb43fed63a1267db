import { join } from 'node:path'
import { type AtEnd, type Child, startChild } from './child.ts'
import { findProgram } from './find-program.ts'
import { freePort } from './ports.ts'

/** coturn gives relays ports from here on; tests run one at a time. */
const firstRelayPort = 47_000
const lastRelayPort = 47_199

export interface Coturn {
  /** `turn:` address with the transport that it listens on. */
  url: string
  /** Settings of a gateway that lends it. */
  settings: { turn: { urls: string[]; secret: string; doorPort: number } }
  process: Child
  /** Whether a datagram comes from one of its relays. */
  isRelay(client: { port: number }): boolean
}

/**
 * Starts a real coturn on 127.0.0.1, as the README says to run it, and waits until it listens.
 * @param folder where its files lie; see `tempDir`
 * @param transport what its clients may come by
 */
export async function startCoturn(folder: string, transport: 'udp' | 'tcp', atEnd: AtEnd): Promise<Coturn> {
  const port = await freePort()
  const secret = 'shared-secret'
  const args = [
    ...['-n', '--verbose', '--no-cli', '--no-tls', '--no-dtls', transport === 'udp' ? '--no-tcp' : '--no-udp'],
    ...['--listening-ip=127.0.0.1', `--listening-port=${port}`, '--relay-ip=127.0.0.1', '--allow-loopback-peers'],
    ...[`--min-port=${firstRelayPort}`, `--max-port=${lastRelayPort}`, '--realm=house.test'],
    ...['--use-auth-secret', `--static-auth-secret=${secret}`, '--log-file=stdout', '--simple-log'],
    ...[`--pidfile=${join(folder, 'coturn.pid')}`, `--userdb=${join(folder, 'coturn.db')}`],
  ]
  const process = startChild(findProgram('TURNSERVER_PATH', 'turnserver'), { args }, atEnd)
  await process.line(/SQLite DB connection success|Total General servers/)
  await process.line(transport === 'udp' ? /UDP listener opened/ : /TCP listener opened/)
  const url = `turn:127.0.0.1:${port}?transport=${transport}`
  return {
    url,
    settings: { turn: { urls: [url], secret, doorPort: 0 } },
    process,
    isRelay: (client) => client.port >= firstRelayPort && client.port <= lastRelayPort,
  }
}
