import type { EventEmitter } from 'node:events'
import { Bonjour } from 'bonjour-service'
import type { Logger } from 'pino'

/** How long others are listened for before a name is taken, ms. */
const listenMs = 1_500
const serviceType = 'porchlight'
const wished = 'porchlight'

/** A name of this house in mDNS (RFC 6762), for as long as it is open. */
export interface HostName {
  /** `porchlight.local`, or with a number where another Porchlight of this network has it. */
  readonly name: string
  close(): Promise<void>
}

/** What a Porchlight announces: where it is, under which host name. */
export interface Announced {
  host: string
  addresses: readonly string[]
}

/** The first name that nobody else has. @param own addresses of this machine: an echo of ourselves is nobody else */
export function freeName(others: readonly Announced[], own: readonly string[]): string {
  const taken = new Set(
    others
      .filter(({ addresses }) => !addresses.some((address) => own.includes(address)))
      .map(({ host }) => host.toLowerCase().replace(/\.$/, '')),
  )
  for (let number = 1; ; number += 1) {
    const name = `${wished}${number === 1 ? '' : `-${number}`}.local`
    if (!taken.has(name)) return name
  }
}

/**
 * Takes a host name in the local network and answers for it.
 * @param port where the gateway serves HTTPS
 * @returns undefined where the network takes no multicast: the address must do
 */
export async function takeHostName(own: readonly string[], port: number, log: Logger): Promise<HostName | undefined> {
  const failed = Promise.withResolvers<undefined>()
  const fail = (error: Error) => {
    log.warn({ err: error }, 'no host name: mDNS does not work here')
    failed.resolve(undefined)
  }
  const bonjour = new Bonjour({}, fail)
  // The library hears of errors in answering only; one in opening its socket would end the process.
  const { server } = bonjour as unknown as { server: { mdns: EventEmitter } }
  server.mdns.on('error', fail)
  const close = () =>
    new Promise<void>((resolve) => {
      bonjour.unpublishAll(() => bonjour.destroy(() => resolve()))
    })
  const others: Announced[] = []
  const browser = bonjour.find({ type: serviceType }, ({ host, addresses }) =>
    others.push({ host, addresses: addresses ?? [] }),
  )
  const listened = Promise.withResolvers<'listened'>()
  const timer = setTimeout(() => listened.resolve('listened'), listenMs)
  const heard = await Promise.race([listened.promise, failed.promise])
  clearTimeout(timer)
  browser.stop()
  if (heard === undefined) {
    await close()
    return undefined
  }
  const name = freeName(others, own)
  const service = bonjour.publish({
    name: `Porchlight at ${own[0]}`,
    type: serviceType,
    port,
    host: name,
    disableIPv6: true,
  })
  // The library would announce the addresses of containers and tunnels too, and a phone would try those. It asks for the
  // records only after it has probed for the name.
  const all = service.records.bind(service)
  service.records = () => all().filter(({ type, data }) => type !== 'A' || own.includes(data))
  return { name, close }
}
