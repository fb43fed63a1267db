/** The server's side of RTSP 1.0 on the wire (RFC 2326 §6, §7, §10.12). */
export interface RtspRequest {
  kind: 'request'
  method: string
  url: string
  /** Lower-case names. */
  headers: ReadonlyMap<string, string>
  body: string
}

export interface InterleavedFrame {
  kind: 'frame'
  channel: number
  data: Uint8Array
}

const maxBytes = 256 * 1024

/** Takes a client's bytes apart into requests and interleaved frames. Throws an Error at what is neither. */
export class RtspParser {
  #kept: Buffer = Buffer.alloc(0)

  push(chunk: Uint8Array): (RtspRequest | InterleavedFrame)[] {
    this.#kept = this.#kept.length === 0 ? Buffer.from(chunk) : Buffer.concat([this.#kept, chunk])
    const found: (RtspRequest | InterleavedFrame)[] = []
    for (;;) {
      const next = this.#frame() ?? this.#request()
      if (next === undefined) break
      found.push(next)
    }
    if (this.#kept.length > maxBytes) throw new Error('The request is too large')
    return found
  }

  #frame(): InterleavedFrame | undefined {
    const bytes = this.#kept
    if (bytes[0] !== 0x24 || bytes.length < 4) return undefined
    const end = 4 + bytes.readUInt16BE(2)
    if (bytes.length < end) return undefined
    this.#kept = bytes.subarray(end)
    return { kind: 'frame', channel: bytes[1]!, data: bytes.subarray(4, end) }
  }

  #request(): RtspRequest | undefined {
    while (this.#kept[0] === 0x0d || this.#kept[0] === 0x0a) this.#kept = this.#kept.subarray(1)
    if (this.#kept[0] === 0x24) return undefined // a frame that is not complete
    const end = this.#kept.indexOf('\r\n\r\n')
    if (end < 0) return undefined
    const [first = '', ...lines] = this.#kept.subarray(0, end).toString('utf8').split('\r\n')
    const start = /^([A-Z_]+) (\S+) RTSP\/1\.0$/.exec(first)
    if (start === null) throw new Error(`This is no RTSP request: ${first.slice(0, 80)}`)
    const headers = new Map<string, string>()
    for (const line of lines) {
      const colon = line.indexOf(':')
      if (colon > 0) headers.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim())
    }
    const bodyEnd = end + 4 + Number(headers.get('content-length') ?? 0)
    if (this.#kept.length < bodyEnd) return undefined
    const body = this.#kept.subarray(end + 4, bodyEnd).toString('utf8')
    this.#kept = this.#kept.subarray(bodyEnd)
    return { kind: 'request', method: start[1]!, url: start[2]!, headers, body }
  }
}

const reasons: Readonly<Record<number, string>> = {
  200: 'OK',
  400: 'Bad Request',
  401: 'Unauthorized',
  404: 'Stream Not Found',
  405: 'Method Not Allowed',
  454: 'Session Not Found',
  455: 'Method Not Valid in This State',
  461: 'Unsupported Transport',
  551: 'Option not supported',
}

/** The text of a response; `CSeq` is the request's. */
export function writeResponse(
  request: RtspRequest,
  status: number,
  headers: Readonly<Record<string, string | undefined>> = {},
  body = '',
): string {
  const all = {
    CSeq: request.headers.get('cseq') ?? '0',
    Server: 'Porchlight simulated camera',
    ...headers,
    ...(body === '' ? {} : { 'Content-Length': String(Buffer.byteLength(body)) }),
  }
  const lines = Object.entries(all).flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${value}`]))
  return `RTSP/1.0 ${status} ${reasons[status] ?? 'Unknown'}\r\n${lines.join('\r\n')}\r\n\r\n${body}`
}

/** An interleaved frame (RFC 2326 §10.12). */
export function writeFrame(channel: number, data: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(4 + data.length)
  frame[0] = 0x24
  frame[1] = channel
  frame.writeUInt16BE(data.length, 2)
  frame.set(data, 4)
  return frame
}
