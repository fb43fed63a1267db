import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { writeRtp } from '@porchlight/proto/media/rtp.ts'
import { type RtspItem, RtspParser } from '../../device/camera/rtsp/messages.ts'

export interface Asked {
  method: string
  uri: string
  header(name: string): string | undefined
}

export interface Answer {
  status?: number | string
  headers?: readonly (readonly [string, string])[]
  body?: string
  /** No answer at all. */
  silent?: boolean
  /** Hangs up in place of an answer. */
  hangUp?: boolean
  /** Bytes right behind the answer. */
  after?: readonly Uint8Array[]
}

/** What a scripted camera does other than the plain one. */
export interface Script {
  sdp?: string
  /** First say in every answer; undefined leaves it to the plain camera. */
  answer?(asked: Asked, count: number, camera: ScriptedCamera): Answer | undefined
  /** Packets of channel 0 after PLAY; the default is one keyframe. */
  media?: readonly Uint8Array[]
}

/** A tiny camera for one quirk at a time: answers by script, sends given bytes after PLAY. */
export class ScriptedCamera {
  readonly asked: Asked[] = []
  /** Interleaved packets that came in. */
  readonly heard: { channel: number; data: Uint8Array }[] = []
  readonly #server = createServer((socket) => this.#serve(socket))
  readonly #sockets = new Set<Socket>()
  readonly #script: Script
  connections = 0

  constructor(script: Script = {}) {
    this.#script = script
  }

  async listen(): Promise<this> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return this
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  get url(): string {
    return `rtsp://127.0.0.1:${this.port}/stream`
  }

  /** Requests of one method, in order. */
  of(method: string): Asked[] {
    return this.asked.filter((asked) => asked.method === method)
  }

  /** Sends bytes to whoever is connected. */
  send(...bytes: Uint8Array[]): void {
    for (const socket of this.#sockets) for (const part of bytes) socket.write(part)
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #serve(socket: Socket): void {
    this.connections += 1
    this.#sockets.add(socket)
    const parser = new RtspParser()
    socket.on('close', () => this.#sockets.delete(socket))
    socket.on('error', () => socket.destroy())
    socket.on('data', (chunk) => {
      for (const item of parser.push(chunk)) this.#take(socket, item)
    })
  }

  #take(socket: Socket, item: RtspItem): void {
    if (item.kind === 'frame') this.heard.push({ channel: item.channel, data: item.data })
    if (item.kind !== 'request') return
    const asked: Asked = { method: item.method, uri: item.uri, header: (name) => item.headers.get(name) }
    this.asked.push(asked)
    const plain = this.#plain(asked)
    const answer = { ...plain, ...this.#script.answer?.(asked, this.of(item.method).length, this) }
    if (answer.hangUp) socket.destroy()
    if (answer.hangUp || answer.silent) return
    const { status = 200, headers = [], body = '' } = answer
    const lines = [`RTSP/1.0 ${status} ${status === 200 ? 'OK' : 'No'}`, `CSeq: ${asked.header('cseq')}`]
    for (const [name, value] of headers) lines.push(`${name}: ${value}`)
    if (body !== '') lines.push(`Content-Length: ${Buffer.byteLength(body)}`)
    socket.write(`${lines.join('\r\n')}\r\n\r\n${body}`)
    for (const part of answer.after ?? []) socket.write(part)
  }

  #plain({ method, header }: Asked): Answer {
    switch (method) {
      case 'OPTIONS':
        return { headers: [['Public', 'OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN, GET_PARAMETER']] }
      case 'DESCRIBE':
        return { headers: [['Content-Type', 'application/sdp']], body: this.#script.sdp ?? plainSdp }
      case 'SETUP':
        return {
          headers: [
            ['Transport', header('transport') ?? ''],
            ['Session', 'abc;timeout=60'],
          ],
        }
      case 'PLAY':
        return { after: this.#script.media ?? keyframe().map((packet) => interleave(0, packet)) }
      default:
        return {}
    }
  }
}

/** 320×240, made by x264. */
export const sps = Buffer.from('Z0LAFNoFB+hAAAADAEAAAAwDxQqo', 'base64')
export const pps = Buffer.from('aM4PLIA=', 'base64')
/** An IDR slice's beginning; what follows is never decoded. */
export const idr = Buffer.from([0x65, 0x88, 0x84, 0x11, 0x22, 0x33, 0x44])
export const slice = Buffer.from([0x41, 0x9a, 0x11, 0x22, 0x33, 0x44])

const session = ['v=0', 'o=- 1 1 IN IP4 127.0.0.1', 's=camera', 't=0 0']
export const videoLines = ['m=video 0 RTP/AVP 96', 'a=rtpmap:96 H264/90000', 'a=control:track1']
export const backchannelLines = ['m=audio 0 RTP/AVP 8', 'a=rtpmap:8 PCMA/8000', 'a=sendonly', 'a=control:track3']

/** A description of these lines after the session's. */
export function sdpOf(...lines: string[]): string {
  return `${[...session, ...lines].join('\r\n')}\r\n`
}

const plainSdp = sdpOf(...videoLines)

/** One RTP packet of payload type 96. */
export function packet(sequence: number, timestamp: number, marker: boolean, payload: Uint8Array, payloadType = 96) {
  return writeRtp({ marker, payloadType, sequence, timestamp, ssrc: 0x1234, extensions: [], payload })
}

/** SPS, PPS and IDR as three packets. */
export function keyframe(sequence = 1, timestamp = 90_000): Uint8Array[] {
  return [sps, pps, idr].map((nal, index) => packet(sequence + index, timestamp, index === 2, nal))
}

/** `$`, channel, length, packet (RFC 2326 §10.12). */
export function interleave(channel: number, data: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from([0x24, channel, data.length >> 8, data.length & 0xff]), data])
}
