import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { startTcpRelay } from '../../support/tcp-relay.ts'

async function echo(): Promise<number> {
  const server = createServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

test('what is sent through comes back whole and in order, also when the link is slow and was cut for a while', async () => {
  const relay = await startTcpRelay({
    target: await echo(),
    up: { rate: 80_000_000, delayMs: 5 },
    down: { delayMs: 5 },
  })
  onTestFinished(() => relay[Symbol.asyncDispose]())
  const sent = Buffer.from(Uint32Array.from({ length: 200_000 }, (_, index) => index).buffer)
  const client = connect(relay.port, '127.0.0.1')
  relay.broken = true
  client.end(sent)
  const got: Buffer[] = []
  client.on('data', (chunk: Buffer) => {
    got.push(chunk)
    if (got.length === 3) {
      relay.broken = true
      setImmediate(() => {
        relay.broken = false
      })
    }
  })
  setImmediate(() => {
    relay.broken = false
  })
  await once(client, 'end')
  expect(Buffer.concat(got).equals(sent)).toBe(true)
  expect(relay.upBytes).toBe(sent.byteLength)
})

test('a target that is away ends the connection', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  const relay = await startTcpRelay({ target: port })
  onTestFinished(() => relay[Symbol.asyncDispose]())
  const client = connect(relay.port, '127.0.0.1')
  client.on('error', () => client.destroy())
  client.resume()
  await once(client, 'close')
})
