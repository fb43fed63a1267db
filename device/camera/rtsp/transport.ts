import { createSocket, type Socket } from 'node:dgram'
import { isIPv6 } from 'node:net'
import { PorchlightError } from '@porchlight/proto/errors.ts'

/** What a camera answers in its `Transport` header (RFC 2326 §12.39), as far as it makes sense. */
export interface TransportAnswer {
  interleaved: [rtp: number, rtcp: number] | undefined
  serverPorts: [rtp: number, rtcp: number] | undefined
  /** Where its packets come from, when that is another address. */
  source: string | undefined
  ssrc: number | undefined
}

/** Parses a `Transport` answer; names in any case, ports alone or in pairs, 0 meaning "not said". */
export function parseTransport(value: string | undefined): TransportAnswer {
  const parameters = new Map<string, string>()
  for (const part of (value ?? '').split(',')[0]!.split(';')) {
    const [name, ...rest] = part.split('=')
    parameters.set(name!.trim().toLowerCase(), rest.join('=').trim().replaceAll('"', ''))
  }
  const pair = (name: string, max: number): [number, number] | undefined => {
    const match = /^(\d{1,5})(?:\s*-\s*(\d{1,5}))?/.exec(parameters.get(name) ?? '')
    if (!match) return undefined
    const first = Number(match[1])
    const second = Number(match[2] ?? first + 1)
    return first <= max && second <= max ? [first, second] : undefined
  }
  const serverPorts = pair('server_port', 65_535)
  const ssrc = parameters.get('ssrc') ?? ''
  return {
    interleaved: pair('interleaved', 255),
    serverPorts: serverPorts?.[0] === 0 ? undefined : serverPorts,
    source: parameters.get('source') || undefined,
    ssrc: /^[0-9a-f]{1,8}$/i.test(ssrc) ? Number.parseInt(ssrc, 16) : undefined,
  }
}

/** Pairs tried before giving up. */
const maxPairTries = 20
/** What the kernel keeps for us, bytes: a keyframe comes as one burst. */
const receiveBufferBytes = 2 * 1024 * 1024

/** Two UDP sockets on neighbouring ports, the even one for RTP (RFC 3550 §11). */
export class UdpPair {
  readonly rtp: Socket
  readonly rtcp: Socket
  readonly rtpPort: number
  #closed = false

  private constructor(rtp: Socket, rtcp: Socket, rtpPort: number) {
    this.rtp = rtp
    this.rtcp = rtcp
    this.rtpPort = rtpPort
  }

  /**
   * @param address local address to listen on: the one the camera is connected to
   * @param port the RTP port, even; without it any free pair
   * @throws PorchlightError `port_in_use`
   */
  static async bind(address: string, port?: number): Promise<UdpPair> {
    for (let attempt = 0; attempt < (port === undefined ? maxPairTries : 1); attempt += 1) {
      const first = await bindSocket(address, port ?? 0)
      if (first === undefined) continue
      const bound = first.address().port
      const even = bound % 2 === 0
      if (port === undefined && !even && bound === 65_535) {
        first.close()
        continue
      }
      const second = await bindSocket(address, port !== undefined || even ? bound + 1 : bound - 1)
      if (second !== undefined) {
        return even || port !== undefined ? new UdpPair(first, second, bound) : new UdpPair(second, first, bound - 1)
      }
      first.close()
    }
    throw new PorchlightError('port_in_use', port === undefined ? 'no free pair of UDP ports' : `UDP ${port}`)
  }

  /** Idempotent. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.rtp.close()
    this.rtcp.close()
  }
}

function bindSocket(address: string, port: number): Promise<Socket | undefined> {
  const socket = createSocket({ type: isIPv6(address) ? 'udp6' : 'udp4', recvBufferSize: receiveBufferBytes })
  const { promise, resolve } = Promise.withResolvers<Socket | undefined>()
  socket.once('error', () => {
    socket.close()
    resolve(undefined)
  })
  socket.bind({ address, port, exclusive: true }, () => {
    socket.removeAllListeners('error')
    socket.on('error', () => undefined) // ICMP refusals of what we send; the media watch decides
    resolve(socket)
  })
  return promise
}
