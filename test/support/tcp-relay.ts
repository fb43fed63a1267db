import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { seeded } from './random.ts'
import { ImpairedLink, type Impairment } from './udp-relay.ts'

/** Bytes on the link in one direction before the sender has to wait. */
const windowBytes = 256 * 1024

export interface TcpRelayOptions {
  /** TCP port on 127.0.0.1. */
  target: number
  /** Client → target; losses are TCP's own to mend and are not imitated. */
  up?: Omit<Impairment, 'loss' | 'queueMs'>
  /** Target → client. */
  down?: Omit<Impairment, 'loss' | 'queueMs'>
}

/** A slow link in front of a TCP port. All connections share its rate. */
export interface TcpRelay extends AsyncDisposable {
  /** Where clients connect to, on 127.0.0.1. */
  port: number
  /** Bytes that came from clients. */
  readonly upBytes: number
  /** While it is broken nothing goes through, and nobody is told: as where the way between is cut. */
  broken: boolean
}

export async function startTcpRelay({ target, up = {}, down = {} }: TcpRelayOptions): Promise<TcpRelay> {
  const endless = { queueMs: Number.POSITIVE_INFINITY }
  const upLink = new ImpairedLink({ ...up, ...endless }, seeded(1))
  const downLink = new ImpairedLink({ ...down, ...endless }, seeded(1))
  const sockets = new Set<Socket>()
  const waiting: (() => void)[] = []
  let broken = false
  let upBytes = 0
  const whenWhole = (step: () => void) => {
    if (broken) waiting.push(step)
    else step()
  }
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    sockets.add(client)
    client.pause()
    client.on('error', () => client.destroy())
    client.on('close', () => sockets.delete(client))
    whenWhole(() => {
      const host = connect({ port: target, host: '127.0.0.1', allowHalfOpen: true, noDelay: true })
      sockets.add(host)
      host.on('close', () => sockets.delete(host))
      carry(client, host, upLink, whenWhole, (bytes) => {
        upBytes += bytes
      })
      carry(host, client, downLink, whenWhole, () => undefined)
      client.resume()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    get upBytes() {
      return upBytes
    },
    get broken() {
      return broken
    },
    set broken(now) {
      broken = now
      if (!now) for (const step of waiting.splice(0)) step()
    },
    async [Symbol.asyncDispose]() {
      upLink.close()
      downLink.close()
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function carry(
  from: Socket,
  to: Socket,
  link: ImpairedLink,
  whenWhole: (step: () => void) => void,
  count: (bytes: number) => void,
): void {
  let onLink = 0
  from.on('data', (chunk: Buffer) => {
    count(chunk.byteLength)
    onLink += chunk.byteLength
    if (onLink > windowBytes) from.pause()
    whenWhole(() =>
      link.send(chunk.byteLength, () =>
        whenWhole(() => {
          onLink -= chunk.byteLength
          if (onLink <= windowBytes) from.resume()
          if (!to.destroyed) to.write(chunk)
        }),
      ),
    )
  })
  // In its turn, behind what is on the link.
  from.on('end', () => whenWhole(() => link.send(0, () => whenWhole(() => to.end()))))
  from.on('error', () => whenWhole(() => to.destroy()))
}
