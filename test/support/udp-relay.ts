import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { seeded } from './random.ts'

/** A bad link, one direction. */
export interface Impairment {
  /** Bit/s that go through; the rest waits. Default: no limit. */
  rate?: number
  /** Longest time that a datagram waits for its turn before it is dropped, ms. Default 200. */
  queueMs?: number
  /** One way, ms. */
  delayMs?: number
  /** Share of datagrams lost, 0…1. */
  loss?: number
}

export interface Counts {
  forwarded: number
  lost: number
  /** Dropped because the queue was full. */
  overflowed: number
  bytes: number
}

export interface RelayOptions {
  /** Where the gateway listens. */
  target: { address?: string; port: number }
  /** Client → target. */
  up?: Impairment
  /** Target → client. */
  down?: Impairment
  seed?: number
  /** A firewall: datagrams of other clients are dropped. Default: all may pass. */
  admits?: (client: { address: string; port: number }) => boolean
  /** Sees every datagram that comes in, before the link, and keeps it back by `false`. */
  tap?: (way: Way, bytes: Buffer) => boolean
}

/** Client → target, or target → client. */
export type Way = 'up' | 'down'

const datagramOverhead = 28 // IPv4 and UDP headers count on a link

/** One direction of a link: a queue that drains at a rate, then a delay. Times of the wire are kept exactly, timers only wake. */
export class ImpairedLink {
  impairment: Impairment
  readonly counts: Counts = { forwarded: 0, lost: 0, overflowed: 0, bytes: 0 }
  readonly #random: () => number
  readonly #waiting: { at: number; deliver: () => void }[] = []
  #freeAt = 0
  #timer: NodeJS.Timeout | undefined

  constructor(impairment: Impairment, random: () => number) {
    this.impairment = impairment
    this.#random = random
  }

  send(bytes: number, deliver: () => void, now = performance.now()): void {
    const { rate, queueMs = 200, delayMs = 0, loss = 0 } = this.impairment
    if (this.#random() < loss) {
      this.counts.lost += 1
      return
    }
    const begin = Math.max(now, this.#freeAt)
    if (rate !== undefined) {
      if (begin - now > queueMs) {
        this.counts.overflowed += 1
        return
      }
      this.#freeAt = begin + ((bytes + datagramOverhead) * 8000) / rate
    }
    this.counts.forwarded += 1
    this.counts.bytes += bytes
    const at = (rate === undefined ? now : this.#freeAt) + delayMs
    if (at <= now) deliver()
    else {
      this.#waiting.push({ at, deliver })
      this.#schedule(now)
    }
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#waiting.length = 0
  }

  #schedule(now: number): void {
    const first = this.#waiting[0]
    if (first === undefined || this.#timer !== undefined) return
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined
        const time = performance.now() + 0.5
        while (this.#waiting.length > 0 && this.#waiting[0]!.at <= time) this.#waiting.shift()!.deliver()
        this.#schedule(time)
      },
      Math.max(0, first.at - now),
    )
  }
}

/** A link with limits between one UDP port (the gateway's) and any number of clients. */
export interface UdpRelay extends AsyncDisposable {
  /** Where clients send to, on 127.0.0.1. */
  port: number
  up: ImpairedLink
  down: ImpairedLink
  /** Where the first client sends from; undefined before it does. */
  readonly client: { address: string; port: number } | undefined
  /** Puts in a datagram beside the link: the receiver sees the first client (`up`) or the target (`down`) as its sender. */
  inject(way: Way, bytes: Uint8Array): void
  close(): Promise<void>
}

export async function startUdpRelay(options: RelayOptions): Promise<UdpRelay> {
  const { target, up = {}, down = {}, seed = 1, admits, tap } = options
  const random = seeded(seed)
  const [upLink, downLink] = [new ImpairedLink(up, random), new ImpairedLink(down, random)]
  const front = createSocket('udp4')
  const backs = new Map<string, Socket>()
  let first: { client: RemoteInfo; back: Socket } | undefined
  let closed = false
  const toTarget = (back: Socket, bytes: Uint8Array) => {
    if (!closed) back.send(bytes, target.port, target.address ?? '127.0.0.1')
  }
  const toClient = (client: RemoteInfo, bytes: Uint8Array) => {
    if (!closed) front.send(bytes, client.port, client.address)
  }
  const backOf = (client: RemoteInfo): Socket => {
    const key = `${client.address}:${client.port}`
    const known = backs.get(key)
    if (known !== undefined) return known
    const back = createSocket('udp4')
    first ??= { client, back }
    back.on('message', (bytes) => {
      if (tap?.('down', bytes) === false) return
      downLink.send(bytes.length, () => toClient(client, bytes))
    })
    backs.set(key, back)
    return back
  }
  front.on('message', (bytes, client) => {
    if (admits?.(client) === false) return
    const back = backOf(client)
    if (tap?.('up', bytes) === false) return
    upLink.send(bytes.length, () => toTarget(back, bytes))
  })
  front.bind(0, '127.0.0.1')
  await once(front, 'listening')
  const inject = (way: Way, bytes: Uint8Array) => {
    if (first === undefined) throw new Error('nobody has sent anything through this relay yet')
    if (way === 'up') toTarget(first.back, bytes)
    else toClient(first.client, bytes)
  }
  const close = async () => {
    if (closed) return
    closed = true
    upLink.close()
    downLink.close()
    for (const socket of [front, ...backs.values()]) socket.close()
  }
  return {
    port: front.address().port,
    up: upLink,
    down: downLink,
    get client() {
      return first?.client
    },
    inject,
    close,
    [Symbol.asyncDispose]: close,
  }
}

/** An SDP whose UDP candidates are one: the relay's port. Other transports' candidates go. */
export function relaySdp(sdp: string, port: number, address = '127.0.0.1'): string {
  let given = false
  const lines = sdp.split(/\r?\n/).flatMap((line) => {
    if (/^m=/.test(line)) given = false
    if (!/^a=candidate:/.test(line)) return [line]
    if (given) return []
    given = true
    return [`a=candidate:1 1 UDP 2122317823 ${address} ${port} typ host`]
  })
  return lines.join('\r\n')
}

/** An SDP without candidates: the other side cannot go around the relay. */
export function withoutCandidates(sdp: string): string {
  return sdp
    .split(/\r?\n/)
    .filter((line) => !/^a=(candidate:|end-of-candidates)/.test(line))
    .join('\r\n')
}
