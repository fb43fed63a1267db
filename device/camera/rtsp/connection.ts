import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { PorchlightError } from '@porchlight/proto/errors.ts'
import { type RtspFrame, RtspParser, type RtspRequest, type RtspResponse, writeMessage } from './messages.ts'
import type { RtspAddress } from './urls.ts'

/** Longest wait for the TCP (and TLS) connection, ms. */
export const connectTimeoutMs = 5_000
/** Longest wait for an answer, ms: battery cameras wake up first. */
export const answerTimeoutMs = 8_000
/** What may wait in the socket before talk packets are dropped, bytes. */
const maxWaitingBytes = 64 * 1024

export interface ConnectionHandlers {
  frame(frame: RtspFrame): void
  /** Once, when the connection has ended for whatever reason. */
  closed(error: PorchlightError): void
}

interface Pending {
  resolve(response: RtspResponse): void
  reject(error: PorchlightError): void
}

/** One TCP or TLS connection to a camera: requests by CSeq, interleaved packets beside them. */
export class RtspConnection {
  readonly #socket: Socket
  readonly #parser = new RtspParser()
  readonly #pending = new Map<number, Pending>()
  readonly #handlers: ConnectionHandlers
  #cseq = 0
  #closed = false

  private constructor(socket: Socket, handlers: ConnectionHandlers) {
    this.#socket = socket
    this.#handlers = handlers
    socket.setNoDelay(true)
    socket.on('data', (chunk) => this.#take(chunk))
    socket.on('error', (error) => this.#end(new PorchlightError('camera_unreachable', error.message, { cause: error })))
    socket.on('close', () => this.#end(new PorchlightError('camera_unreachable', 'the camera closed the connection')))
  }

  /**
   * @param ca PEM of the camera's own certificate (or its authority) for `rtsps`; with it the name is not compared,
   *   because cameras are dialled by address. Without it the system's authorities decide.
   * @throws PorchlightError `camera_unreachable`, `camera_timeout`
   */
  static async open(
    address: RtspAddress,
    handlers: ConnectionHandlers,
    signal: AbortSignal,
    ca?: string,
  ): Promise<RtspConnection> {
    signal.throwIfAborted()
    const { host, port } = address
    const pinned = ca === undefined ? {} : { ca: [ca], checkServerIdentity: () => undefined }
    const socket = address.secure ? connectTls({ host, port, ...pinned }) : connectTcp({ host, port })
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const late = setTimeout(() => reject(new PorchlightError('camera_timeout', 'no connection')), connectTimeoutMs)
    const aborted = () => reject(new PorchlightError('camera_unreachable', 'given up'))
    const failed = (error: Error) => reject(new PorchlightError('camera_unreachable', error.message, { cause: error }))
    signal.addEventListener('abort', aborted)
    socket.once('error', failed)
    socket.once(address.secure ? 'secureConnect' : 'connect', resolve)
    try {
      await promise
    } catch (error) {
      socket.on('error', () => undefined) // it ends; nobody is left to hear why
      socket.destroy()
      throw error
    } finally {
      clearTimeout(late)
      signal.removeEventListener('abort', aborted)
      socket.off('error', failed)
    }
    return new RtspConnection(socket, handlers)
  }

  /** The camera's address as connected: where its UDP comes from. */
  get remoteAddress(): string {
    return (this.#socket.remoteAddress ?? '').replace(/^::ffff:/, '')
  }

  get localAddress(): string {
    return (this.#socket.localAddress ?? '').replace(/^::ffff:/, '')
  }

  /** Bytes of garbage skipped between messages. */
  get skippedBytes(): number {
    return this.#parser.skipped
  }

  expectChannels(channels: ReadonlySet<number>): void {
    this.#parser.expectChannels(channels)
  }

  /**
   * Sends one request and waits for its answer, whatever its status.
   * @throws PorchlightError `camera_timeout`, `camera_unreachable`
   */
  async request(
    method: string,
    uri: string,
    headers: readonly (readonly [string, string])[],
    timeoutMs = answerTimeoutMs,
  ): Promise<RtspResponse> {
    if (this.#closed) throw new PorchlightError('camera_unreachable', 'the connection has ended')
    this.#cseq += 1
    const cseq = this.#cseq
    const { promise, resolve, reject } = Promise.withResolvers<RtspResponse>()
    const late = setTimeout(() => reject(new PorchlightError('camera_timeout', `no answer to ${method}`)), timeoutMs)
    this.#pending.set(cseq, { resolve, reject })
    this.#socket.write(writeMessage(`${method} ${uri} RTSP/1.0`, [['CSeq', String(cseq)], ...headers]))
    try {
      return await promise
    } finally {
      clearTimeout(late)
      this.#pending.delete(cseq)
    }
  }

  /** Sends one interleaved packet; false where the connection is full or gone and the packet was dropped. */
  sendFrame(channel: number, data: Uint8Array): boolean {
    if (this.#closed || this.#socket.writableLength > maxWaitingBytes) return false
    const frame = Buffer.allocUnsafe(4 + data.length)
    frame[0] = 0x24
    frame[1] = channel
    frame.writeUInt16BE(data.length, 2)
    frame.set(data, 4)
    this.#socket.write(frame)
    return true
  }

  /** Idempotent. `closed` of the handlers is not called for it. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#rejectAll(new PorchlightError('camera_unreachable', 'the connection was closed'))
    this.#socket.destroy()
  }

  #take(chunk: Uint8Array): void {
    for (const item of this.#parser.push(chunk)) {
      if (this.#closed) return
      if (item.kind === 'frame') this.#handlers.frame(item)
      else if (item.kind === 'response') this.#answered(item)
      else this.#asked(item)
    }
  }

  #answered(response: RtspResponse): void {
    const cseq = Number.parseInt(response.headers.get('cseq') ?? '', 10)
    // an answer without a number belongs to the oldest question
    const key = this.#pending.has(cseq) ? cseq : Number.isNaN(cseq) ? this.#pending.keys().next().value : undefined
    if (key !== undefined) this.#pending.get(key)?.resolve(response)
  }

  #asked(request: RtspRequest): void {
    const known = ['OPTIONS', 'SET_PARAMETER', 'GET_PARAMETER', 'ANNOUNCE'].includes(request.method)
    const cseq = request.headers.get('cseq') ?? '0'
    this.#socket.write(writeMessage(known ? 'RTSP/1.0 200 OK' : 'RTSP/1.0 501 Not Implemented', [['CSeq', cseq]]))
    if (request.method === 'TEARDOWN' || request.method === 'REDIRECT') {
      this.#end(new PorchlightError('camera_unreachable', `the camera sent ${request.method}`))
    }
  }

  #end(error: PorchlightError): void {
    if (this.#closed) return
    this.#closed = true
    this.#rejectAll(error)
    this.#socket.destroy()
    this.#handlers.closed(error)
  }

  #rejectAll(error: PorchlightError): void {
    for (const pending of this.#pending.values()) pending.reject(error)
    this.#pending.clear()
  }
}
