export interface KeepaliveOptions {
  /** The session's timeout as the camera announced it (RFC 2326 §12.37: 60 s where it is silent), s. */
  timeoutSeconds: number
  /** Whether the camera announces GET_PARAMETER. */
  getParameter: boolean
  /** Sends a request with an empty body; resolves with the status. */
  send(method: 'GET_PARAMETER' | 'OPTIONS'): Promise<number>
  /** The camera says that it does not know the session any more. */
  lost(): void
}

/** Five seconds before the timeout, or half of a short one. Long timeouts are not trusted beyond a minute. s */
export function keepaliveSeconds(timeoutSeconds: number): number {
  return Math.min(55, Math.max(timeoutSeconds - 5, timeoutSeconds / 2, 1))
}

/**
 * Tells the camera that somebody is still there. A camera that never answers is no reason to hang up: whether media
 * comes is watched elsewhere.
 */
export class Keepalive {
  readonly #options: KeepaliveOptions
  readonly #timer: NodeJS.Timeout
  #method: 'GET_PARAMETER' | 'OPTIONS'
  #waiting = false

  constructor(options: KeepaliveOptions) {
    this.#options = options
    this.#method = options.getParameter ? 'GET_PARAMETER' : 'OPTIONS'
    this.#timer = setInterval(() => void this.#beat(), keepaliveSeconds(options.timeoutSeconds) * 1000)
  }

  async #beat(): Promise<void> {
    // with an answer outstanding another request still counts as a sign of life
    if (this.#waiting) this.#method = 'OPTIONS'
    this.#waiting = true
    try {
      const status = await this.#options.send(this.#method)
      if (status === 454) this.#options.lost()
      else if (status >= 400 && this.#method === 'GET_PARAMETER') this.#method = 'OPTIONS'
    } catch {
      return // unanswered, or the connection has gone, which its owner hears by itself
    } finally {
      this.#waiting = false
    }
  }

  /** Idempotent. */
  close(): void {
    clearInterval(this.#timer)
  }
}
