import { createSocket, type Socket } from 'node:dgram'
import type { Socket as TcpSocket } from 'node:net'
import type { Knobs } from '../knobs.ts'
import { writeFrame } from './messages.ts'

/** How packets of one track go to a client. */
export interface Transport {
  /** The `Transport` header of the SETUP answer, without `ssrc`. */
  readonly header: string
  rtp(bytes: Uint8Array): void
  rtcp(bytes: Uint8Array): void
  close(): void
}

/** A client that reads too slowly: beyond this its packets are dropped, as cameras do. */
const maxWaitingBytes = 4 * 1024 * 1024

export function interleaved(socket: TcpSocket, rtpChannel: number, rtcpChannel: number): Transport {
  const send = (channel: number, bytes: Uint8Array) => {
    if (socket.writable && socket.writableLength < maxWaitingBytes) socket.write(writeFrame(channel, bytes))
  }
  return {
    header: `RTP/AVP/TCP;unicast;interleaved=${rtpChannel}-${rtcpChannel}`,
    rtp: (bytes) => send(rtpChannel, bytes),
    rtcp: (bytes) => send(rtcpChannel, bytes),
    close() {},
  }
}

export interface UdpClient {
  address: string
  rtpPort: number
  rtcpPort: number
}

/**
 * A pair of UDP ports for one track. `heard` gets what the client sends to either: talk, and receiver reports.
 */
export async function udp(
  host: string,
  client: UdpClient,
  knobs: Knobs,
  random: () => number,
  heard: (bytes: Uint8Array, isRtcpPort: boolean) => void,
): Promise<Transport> {
  const [rtp, rtcp] = await bindPair(host)
  rtp.on('message', (bytes) => heard(bytes, false))
  rtcp.on('message', (bytes) => heard(bytes, true))
  let held: Uint8Array | undefined
  let count = 0
  const send = (bytes: Uint8Array) => {
    if (random() < knobs.lossShare) return
    rtp.send(bytes, client.rtpPort, client.address)
  }
  return {
    header: [
      'RTP/AVP;unicast',
      `client_port=${client.rtpPort}-${client.rtcpPort}`,
      `server_port=${rtp.address().port}-${rtcp.address().port}`,
    ].join(';'),
    rtp(bytes) {
      count += 1
      if (knobs.swapEvery > 0 && count % knobs.swapEvery === 0 && held === undefined) {
        held = bytes // goes after the next one
        return
      }
      send(bytes)
      if (held !== undefined) send(held)
      held = undefined
    },
    rtcp: (bytes) => rtcp.send(bytes, client.rtcpPort, client.address),
    close() {
      rtp.close()
      rtcp.close()
    },
  }
}

function bind(host: string, port: number): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4')
    socket.once('error', () => resolve(undefined))
    socket.bind(port, host, () => {
      // A client that is gone answers with ICMP: its packets are lost, and the session's time-out ends it.
      socket.on('error', (error) => process.emitWarning(error))
      resolve(socket)
    })
  })
}

/** An even port and the odd one above it (RFC 3550 §11). */
async function bindPair(host: string): Promise<[Socket, Socket]> {
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const first = await bind(host, 0)
    if (first === undefined) break
    const port = first.address().port
    const second = port % 2 === 0 ? await bind(host, port + 1) : undefined
    if (second !== undefined) return [first, second]
    first.close()
  }
  throw new Error('No pair of UDP ports is free')
}
