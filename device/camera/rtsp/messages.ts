import { plainBytes } from '../plain-bytes.ts'

/** RTSP 1.0 messages (RFC 2326) and the interleaved packets between them (§10.12). */
export interface RtspResponse {
  kind: 'response'
  status: number
  reason: string
  headers: RtspHeaders
  body: Uint8Array
}

/** Some cameras send requests of their own (OPTIONS, SET_PARAMETER, ANNOUNCE, REDIRECT). */
export interface RtspRequest {
  kind: 'request'
  method: string
  uri: string
  headers: RtspHeaders
  body: Uint8Array
}

export interface RtspFrame {
  kind: 'frame'
  channel: number
  /** Bytes of their own, not overwritten later. */
  data: Uint8Array
}

export type RtspItem = RtspResponse | RtspRequest | RtspFrame

/** Header fields by lower-case name; a name may come several times (`WWW-Authenticate`). */
export class RtspHeaders {
  readonly #fields = new Map<string, string[]>()

  add(name: string, value: string): void {
    const key = name.trim().toLowerCase()
    const values = this.#fields.get(key)
    if (values) values.push(value.trim())
    else this.#fields.set(key, [value.trim()])
  }

  get(name: string): string | undefined {
    return this.#fields.get(name.toLowerCase())?.[0]
  }

  all(name: string): readonly string[] {
    return this.#fields.get(name.toLowerCase()) ?? []
  }
}

/** Headers of one message, bytes. */
const maxHeadBytes = 32 * 1024
/** Body of one message, bytes (a description is a few KB). */
const maxBodyBytes = 256 * 1024
const dollar = 0x24
const empty = new Uint8Array(0)
const latin = new TextDecoder('latin1')

/**
 * Takes the bytes of a connection apart. Garbage between messages is skipped up to the next `$` with a known channel,
 * a plausible length and an RTP version, or the next `RTSP/`. Bounded: it never keeps more than one message.
 */
export class RtspParser {
  #buffer: Uint8Array = empty
  #channels: ReadonlySet<number> = new Set()
  /** The newest interleaved frame: where its length was too large, the next one lies inside it. */
  #lastFrame: Uint8Array = empty
  #skipping = false
  /** Bytes of garbage skipped so far. */
  skipped = 0

  /** Interleaved channels that may come; empty: any. */
  expectChannels(channels: ReadonlySet<number>): void {
    this.#channels = channels
  }

  /** @returns what this chunk finishes, in order */
  push(chunk: Uint8Array): RtspItem[] {
    this.#buffer = this.#buffer.length === 0 ? plainBytes(chunk) : plainBytes(Buffer.concat([this.#buffer, chunk]))
    const items: RtspItem[] = []
    let before = -1
    while (this.#buffer.length > 0 && this.#buffer.length !== before) {
      before = this.#buffer.length
      const first = this.#buffer[0]!
      if (first === dollar) this.#frame(items)
      else if (isLetter(first)) this.#message(items)
      else this.#resynchronise()
    }
    return items
  }

  #frame(items: RtspItem[]): void {
    const buffer = this.#buffer
    if (buffer.length < 4) return
    const size = (buffer[2]! << 8) | buffer[3]!
    if (!this.#plausible(buffer, 0)) {
      this.#resynchronise()
      return
    }
    if (buffer.length < 4 + size) return
    this.#skipping = false
    const data = buffer.subarray(4, 4 + size)
    this.#lastFrame = data
    this.#consume(4 + size)
    items.push({ kind: 'frame', channel: buffer[1]!, data })
  }

  /** A `$` alone means nothing: the channel must be ours, and RTP and RTCP begin with version 2. */
  #plausible(bytes: Uint8Array, at: number): boolean {
    if (bytes[at] !== dollar || bytes.length < at + 4) return false
    if (this.#channels.size > 0 && !this.#channels.has(bytes[at + 1]!)) return false
    const size = (bytes[at + 2]! << 8) | bytes[at + 3]!
    if (size < 4) return false
    return bytes.length <= at + 4 || bytes[at + 4]! >> 6 === 2
  }

  #message(items: RtspItem[]): void {
    const buffer = this.#buffer
    const head = headEnd(buffer)
    if (head === undefined) {
      // wait for the rest of a head as long as it looks like one
      const line = latin.decode(buffer.subarray(0, 64))
      const hopeful =
        'RTSP/'.startsWith(line.slice(0, 5)) || /^[A-Z_]{3,16}(?: |$)/.test(line) || /^[A-Z_]{1,16}$/.test(line)
      if (!hopeful || buffer.length > maxHeadBytes) this.#resynchronise()
      return
    }
    const lines = latin.decode(buffer.subarray(0, head.end)).split(/\r\n|\n|\r/)
    const start = lines[0]!
    const response = /^RTSP\/\d\.\d\s+(\d{3})\s*(.*)$/.exec(start)
    const request = /^([A-Z_]{3,16})\s+(\S+)\s+RTSP\/\d/.exec(start)
    if (!response && !request) {
      this.#resynchronise()
      return
    }
    const headers = parseHeaders(lines)
    const length = Math.min(Number.parseInt(headers.get('content-length') ?? '0', 10) || 0, maxBodyBytes)
    if (buffer.length < head.next + length) return
    const body = buffer.slice(head.next, head.next + Math.max(0, length))
    this.#skipping = false
    this.#lastFrame = empty
    this.#consume(head.next + Math.max(0, length))
    if (response) items.push({ kind: 'response', status: Number(response[1]), reason: response[2]!, headers, body })
    else items.push({ kind: 'request', method: request![1]!, uri: request![2]!, headers, body })
  }

  #resynchronise(): void {
    // an interleaved length that was too large has swallowed the head of the next frame: look there first
    if (!this.#skipping && this.#lastFrame.length > 16) {
      const tail = this.#lastFrame
      for (let at = 12; at + 4 < tail.length; at += 1) {
        if (!this.#plausible(tail, at) || !sameSource(tail, at + 4)) continue
        this.#buffer = plainBytes(Buffer.concat([tail.subarray(at), this.#buffer]))
        this.#lastFrame = empty
        this.#skipping = true
        return
      }
    }
    this.#skipping = true
    this.#lastFrame = empty
    const buffer = this.#buffer
    for (let at = 1; at < buffer.length; at += 1) {
      const byte = buffer[at]!
      // near the end of what is here a `$` or an `R` may be the beginning of something
      const hopeful =
        (byte === dollar && (at + 4 >= buffer.length || this.#plausible(buffer, at))) ||
        (byte === 0x52 && 'RTSP/'.startsWith(latin.decode(buffer.subarray(at, at + 5))))
      if (!hopeful) continue
      this.skipped += at
      this.#consume(at)
      return
    }
    this.skipped += buffer.length
    this.#consume(buffer.length)
  }

  #consume(count: number): void {
    this.#buffer = count >= this.#buffer.length ? empty : this.#buffer.subarray(count)
  }
}

/** Whether the RTP header at `at` has the SSRC of the one at 0, as far as it is there. */
function sameSource(bytes: Uint8Array, at: number): boolean {
  for (let index = 8; index < 12 && at + index < bytes.length; index += 1) {
    if (bytes[at + index] !== bytes[index]) return false
  }
  return true
}

function isLetter(byte: number): boolean {
  return byte >= 0x41 && byte <= 0x5a
}

/** Finds the empty line; cameras write CRLF, LF, or both. */
function headEnd(buffer: Uint8Array): { end: number; next: number } | undefined {
  const limit = Math.min(buffer.length, maxHeadBytes)
  for (let at = 0; at < limit; at += 1) {
    if (buffer[at] !== 0x0a) continue
    if (buffer[at + 1] === 0x0a) return { end: at, next: at + 2 }
    if (buffer[at + 1] === 0x0d && buffer[at + 2] === 0x0a) return { end: at, next: at + 3 }
  }
  return undefined
}

function parseHeaders(lines: readonly string[]): RtspHeaders {
  const headers = new RtspHeaders()
  for (const line of lines.slice(1)) {
    const colon = line.indexOf(':')
    if (colon > 0) headers.add(line.slice(0, colon), line.slice(colon + 1))
  }
  return headers
}

/** Writes a request or (`start` = `RTSP/1.0 200 OK`) an answer. Values must not hold line breaks: they are taken out. */
export function writeMessage(
  start: string,
  headers: readonly (readonly [string, string])[],
  body?: string,
): Uint8Array {
  const lines = [start, ...headers.map(([name, value]) => `${name}: ${value.replaceAll(/[\r\n]/g, '')}`)]
  if (body !== undefined) lines.push(`Content-Length: ${Buffer.byteLength(body)}`)
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body ?? ''}`)
}
