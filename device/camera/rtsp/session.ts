import { PorchlightError } from '@porchlight/proto/errors.ts'
import { attribute, type MediaSection, parseSdp, type SessionDescription } from '@porchlight/proto/media/sdp.ts'
import { Authenticator, type Credentials } from './auth.ts'
import { RtspConnection } from './connection.ts'
import { Keepalive } from './keepalive.ts'
import type { RtspFrame, RtspResponse } from './messages.ts'
import { parseTransport, type TransportAnswer } from './transport.ts'
import { controlBases, parseAddress, type RtspAddress, resolveControl } from './urls.ts'

/** Redirects followed before giving up. */
const maxRedirects = 3
/** Times one request is sent: without an answer to a challenge, with one, with one to a stale nonce. */
const maxTries = 3
/** ONVIF Streaming Specification §5.3.1. */
export const backchannelRequire = 'www.onvif.org/ver20/backchannel'
/** Time for the answer to TEARDOWN; single-client cameras need about as long before the next dial, ms. */
const teardownMs = 500
const userAgent = 'Porchlight'

export interface SessionOptions {
  /** Without user and password. */
  url: string
  credentials: Credentials | undefined
  /** PEM that `rtsps` trusts in place of the system's authorities. */
  ca?: string
}

export interface SessionHandlers {
  frame(frame: RtspFrame): void
  /** Once; not after `close()`. */
  ended(error: PorchlightError): void
}

/** A status that is no success; kept apart so that callers can try another way. */
export class RtspStatusError extends PorchlightError {
  readonly method: string
  readonly rtspStatus: number

  constructor(method: string, response: RtspResponse) {
    const { status } = response
    const code =
      status === 401 || status === 403 ? 'camera_auth' : status === 404 ? 'camera_no_video' : 'camera_protocol'
    super(code, `${method}: ${status} ${response.reason.slice(0, 60)}`.trim())
    this.method = method
    this.rtspStatus = status
  }
}

/** One RTSP session: requests with authentication, description, set-up, play, keepalive, teardown. */
export class RtspSession {
  readonly #options: SessionOptions
  readonly #handlers: SessionHandlers
  #connection!: RtspConnection
  #authenticator!: Authenticator
  #address: RtspAddress
  #sessionId: string | undefined
  #timeoutSeconds = 60
  #methods: ReadonlySet<string> = new Set()
  #bases: string[] = []
  #aggregate = ''
  #keepalive: Keepalive | undefined
  #closing: Promise<void> | undefined
  #ended = false
  /** Product of the `Server` header, for quirks. */
  server = ''

  private constructor(options: SessionOptions, handlers: SessionHandlers, address: RtspAddress) {
    this.#options = options
    this.#handlers = handlers
    this.#address = address
  }

  /**
   * Dials the camera and asks what it has, following redirects.
   * @param backchannel asks for the ONVIF backchannel first, and again without it where that is refused
   * @throws PorchlightError `camera_*`
   */
  static async describe(
    options: SessionOptions,
    handlers: SessionHandlers,
    backchannel: boolean,
    signal: AbortSignal,
  ): Promise<{ session: RtspSession; sdp: SessionDescription }> {
    const address = parseAddress(options.url)
    if (address === undefined) throw new PorchlightError('camera_unreachable', 'the address is not rtsp:// or rtsps://')
    const session = new RtspSession(options, handlers, address)
    const aborted = () => session.#connection?.close()
    signal.addEventListener('abort', aborted)
    try {
      return { session, sdp: await session.#describe(backchannel, signal) }
    } catch (error) {
      session.#connection?.close()
      throw error
    } finally {
      signal.removeEventListener('abort', aborted)
    }
  }

  get connection(): RtspConnection {
    return this.#connection
  }

  async #describe(backchannel: boolean, signal: AbortSignal): Promise<SessionDescription> {
    let wanted = backchannel
    let redirects = 0
    await this.#dial(signal)
    for (;;) {
      const { url } = this.#address
      const headers: [string, string][] = [['Accept', 'application/sdp']]
      if (wanted) headers.push(['Require', backchannelRequire])
      let response: RtspResponse | undefined
      try {
        response = await this.#send('DESCRIBE', url, headers)
      } catch (error) {
        // some cameras hang up, or say nothing, when they read a Require they do not know
        if (!wanted || signal.aborted || (error instanceof PorchlightError && error.code === 'camera_auth')) throw error
      }
      const status = response?.status ?? 551
      if (response !== undefined && status >= 300 && status < 400) {
        redirects += 1
        this.#redirect(response, redirects)
        await this.#dial(signal)
      } else if (response !== undefined && status >= 200 && status < 300) return this.#described(response)
      else if (wanted && status !== 401) {
        wanted = false
        if (response === undefined || this.#ended) await this.#dial(signal)
      } else throw new RtspStatusError('DESCRIBE', response!)
    }
  }

  async #dial(signal: AbortSignal): Promise<void> {
    this.#connection?.close()
    this.#ended = false
    const connection: RtspConnection = await RtspConnection.open(
      this.#address,
      {
        frame: (frame) => this.#handlers.frame(frame),
        closed: (error) => {
          if (this.#connection !== connection) return
          this.#ended = true
          this.#keepalive?.close()
          // while dialling the pending request tells; afterwards the owner is told
          if (this.#sessionId !== undefined && this.#closing === undefined) this.#handlers.ended(error)
        },
      },
      signal,
      this.#options.ca,
    )
    this.#connection = connection
    const sameHost = this.#address.host === parseAddress(this.#options.url)?.host
    this.#authenticator = new Authenticator(this.#options.credentials, sameHost)
    const options = await this.#send('OPTIONS', this.#address.url, [])
    // a camera that answers OPTIONS with an error may still play
    const announced = `${options.headers.get('public') ?? ''},${options.headers.get('allow') ?? ''}`
    this.#methods = new Set(announced.split(',').map((method) => method.trim().toUpperCase()))
    this.server = options.headers.get('server') ?? ''
  }

  #redirect(response: RtspResponse, count: number): void {
    const location = response.headers.get('location') ?? ''
    const target = parseAddress(location.startsWith('/') ? resolveOrigin(this.#address.url) + location : location)
    if (target === undefined || count > maxRedirects)
      throw new PorchlightError('camera_protocol', 'redirected to nowhere')
    if (this.#address.secure && !target.secure) throw new PorchlightError('camera_protocol', 'redirected out of TLS')
    this.#address = target
  }

  #described(response: RtspResponse): SessionDescription {
    const { headers } = response
    this.server = headers.get('server') ?? this.server
    let sdp: SessionDescription
    try {
      sdp = parseSdp(new TextDecoder().decode(response.body))
    } catch (cause) {
      throw new PorchlightError('camera_protocol', 'the description cannot be read', { cause })
    }
    this.#bases = controlBases(this.#address.url, headers.get('content-base'), headers.get('content-location'))
    this.#aggregate = resolveControl(this.#bases[0]!, attribute(sdp, 'control'))
    return sdp
  }

  /**
   * Sets one line up.
   * @param transports `Transport` value to ask for
   * @throws RtspStatusError, PorchlightError
   */
  async setup(section: MediaSection, transport: string, backchannel = false): Promise<TransportAnswer> {
    const urls = [...new Set(this.#bases.map((base) => resolveControl(base, section.control)))]
    const extra: [string, string][] = [['Transport', transport]]
    if (backchannel) extra.push(['Require', backchannelRequire])
    for (const [index, url] of urls.entries()) {
      const response = await this.#send('SETUP', url, extra)
      if (response.status >= 200 && response.status < 300) {
        this.#adoptSession(response.headers.get('session'))
        return parseTransport(response.headers.get('transport'))
      }
      // a wrong Content-Base shows here: ask once more, relative to the address that was dialled
      const badUrl = [400, 404, 451, 454, 455, 459, 460].includes(response.status)
      if (!badUrl || index === urls.length - 1) throw new RtspStatusError('SETUP', response)
    }
    throw new PorchlightError('camera_protocol', 'nothing to set up')
  }

  #adoptSession(value: string | undefined): void {
    if (value === undefined) return
    const [id, ...parameters] = value.split(';')
    this.#sessionId = id!.trim()
    for (const parameter of parameters) {
      const seconds = /^\s*timeout\s*=\s*(\d{1,6})/i.exec(parameter)?.[1]
      if (seconds !== undefined && Number(seconds) > 0) this.#timeoutSeconds = Number(seconds)
    }
  }

  /** Starts the stream and keeps the session alive from then on. @throws RtspStatusError, PorchlightError */
  async play(): Promise<void> {
    this.#sessionId ??= '' // a camera that gives no session still plays
    const response = await this.#send('PLAY', this.#aggregate, [['Range', 'npt=0.000-']])
    if (response.status < 200 || response.status >= 300) throw new RtspStatusError('PLAY', response)
    this.#adoptSession(response.headers.get('session'))
    this.#keepalive = new Keepalive({
      timeoutSeconds: this.#timeoutSeconds,
      getParameter: this.#methods.has('GET_PARAMETER'),
      send: async (method) => (await this.#send(method, this.#aggregate, [])).status,
      lost: () => {
        if (this.#closing !== undefined || this.#ended) return
        this.#ended = true
        this.#handlers.ended(new PorchlightError('camera_unreachable', 'the camera has forgotten the session'))
      },
    })
  }

  async #send(method: string, uri: string, headers: readonly (readonly [string, string])[]): Promise<RtspResponse> {
    for (let attempt = 1; ; attempt += 1) {
      const authorization = this.#authenticator.header(method, uri)
      const all: (readonly [string, string])[] = [['User-Agent', userAgent], ...headers]
      if (authorization !== undefined) all.push(['Authorization', authorization])
      if (this.#sessionId) all.push(['Session', this.#sessionId])
      const response = await this.#connection.request(method, uri, all)
      if (response.status !== 401) {
        if (authorization !== undefined) this.#authenticator.accepted()
        return response
      }
      const again = this.#authenticator.challenged(response.headers, authorization !== undefined)
      if (!again || attempt >= maxTries) throw new RtspStatusError(method, response)
    }
  }

  /** Says goodbye, so that a camera with room for one client has room again. Idempotent; at most half a second. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    this.#keepalive?.close()
    if (this.#sessionId && !this.#ended) {
      const header = this.#authenticator.header('TEARDOWN', this.#aggregate)
      const headers: [string, string][] = [['Session', this.#sessionId]]
      if (header !== undefined) headers.push(['Authorization', header])
      // no answer is no news: the connection is closed either way
      await this.#connection.request('TEARDOWN', this.#aggregate, headers, teardownMs).then(ignore, ignore)
    }
    this.#connection.close()
  }
}

function ignore(): void {
  // the outcome does not matter
}

function resolveOrigin(url: string): string {
  return /^rtsps?:\/\/[^/?#]+/i.exec(url)?.[0] ?? url
}
