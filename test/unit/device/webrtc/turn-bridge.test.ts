import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { TurnBridge } from '../../../../device/webrtc/turn-bridge.ts'
import { quietLog } from '../../../support/quiet-log.ts'

/** ChannelData of three bytes, which are padded in a stream only (RFC 8656 §12.5). */
const datagram = Buffer.from([0x40, 1, 0, 3, 7, 8, 9])
const padded = Buffer.concat([datagram, Buffer.alloc(1)])

/** A TURN server as far as the bridge sees it: a byte stream that comes back. */
async function setUp() {
  const connections: Socket[] = []
  const received: Buffer[] = []
  const server = createServer((socket) => {
    connections.push(socket)
    socket.on('data', (chunk) => {
      received.push(chunk)
      socket.write(chunk)
    })
    socket.on('error', () => socket.destroy())
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    for (const socket of connections) socket.destroy()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const bridge = await TurnBridge.open({ host: '127.0.0.1', port, tls: false }, quietLog)
  onTestFinished(() => bridge.close())
  const engine = () => {
    const socket = createSocket('udp4')
    onTestFinished(() => void socket.close())
    return async (): Promise<Buffer> => {
      socket.send(datagram, bridge.port, '127.0.0.1')
      return (await once(socket, 'message'))[0]
    }
  }
  return { connections, received, bridge, engine }
}

test('every session has a connection of its own, and gets its datagrams back as they were', async () => {
  const { connections, received, engine } = await setUp()
  const [one, other] = [engine(), engine()]
  expect(await one()).toEqual(datagram)
  expect(await other()).toEqual(datagram)
  expect(await one()).toEqual(datagram)
  expect(connections).toHaveLength(2)
  expect(received).toEqual([padded, padded, padded])
})

test('a connection that breaks is made anew with the next datagram', async () => {
  const { connections, engine } = await setUp()
  const session = engine()
  await session()
  const ended = once(connections[0]!, 'close')
  // No TURN: the bridge gives the connection up.
  connections[0]!.write(Buffer.from([0xff, 0, 0, 0]))
  await ended
  expect(await session()).toEqual(datagram)
  expect(connections).toHaveLength(2)
})

test('closing ends every connection', async () => {
  const { connections, bridge, engine } = await setUp()
  await engine()()
  const ended = once(connections[0]!, 'close')
  await bridge.close()
  await bridge.close()
  await ended
})
