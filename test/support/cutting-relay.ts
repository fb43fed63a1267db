import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** A way to a TCP port on which a connection can break in the middle of an answer. */
export interface CuttingRelay extends AsyncDisposable {
  /** Where clients connect to, on 127.0.0.1. */
  port: number
  /** Connections that were cut. */
  readonly cuts: number
  /** Cuts the next connection that asks for this, once it has been answered with so many bytes. */
  cutNext(request: string, afterBytes: number): void
}

export async function startCuttingRelay(target: number): Promise<CuttingRelay> {
  const sockets = new Set<Socket>()
  let next: { request: string; afterBytes: number } | undefined
  let cuts = 0
  const server = createServer((client) => {
    const host = connect({ port: target, host: '127.0.0.1' })
    let left: number | undefined
    const end = () => {
      client.destroy()
      host.destroy()
    }
    for (const socket of [client, host]) {
      sockets.add(socket)
      socket.on('error', end)
      socket.on('close', () => sockets.delete(socket))
    }
    client.on('close', () => host.destroy())
    host.on('close', () => client.end())
    client.on('data', (chunk: Buffer) => {
      if (next && chunk.includes(next.request)) {
        left = next.afterBytes
        next = undefined
      }
      host.write(chunk)
    })
    host.on('data', (chunk: Buffer) => {
      if (left === undefined || chunk.length < left) client.write(chunk)
      // as a phone that leaves the house: what had come is there, and nothing more
      else {
        cuts += 1
        client.end(chunk.subarray(0, left))
        host.destroy()
      }
      if (left !== undefined) left -= chunk.length
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    get cuts() {
      return cuts
    },
    cutNext(request, afterBytes) {
      next = { request, afterBytes }
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
