import { PorchlightError } from '@porchlight/proto/errors.ts'
import { connect, type ErrorWithReasonCode, type IClientOptions, type MqttClient } from 'mqtt'

/** Longest wait for CONNACK, SUBACK or a PUBACK, ms. */
export const answerMs = 10_000

export interface ConnectionOptions {
  url: string
  /** Also the MQTT client id: a stale will cannot outlive its successor. */
  device: string
  user: string
  password: string
  keepaliveSeconds: number
  will: { topic: string; payload: Buffer }
  subscribe: readonly string[]
  /** PEM of the house's own authority, where it is pinned. */
  ca: string | undefined
  /** Must not throw. */
  onMessage(topic: string, payload: Uint8Array): void
}

/** CONNACK of MQTT 3.1.1 §3.2.2.3: 4 bad user name or password, 5 not authorized. */
function toError(cause: Error): PorchlightError {
  const code = (cause as Partial<ErrorWithReasonCode>).code
  if (code === 4 || code === 5) return new PorchlightError('broker_auth', undefined, { cause })
  return new PorchlightError('broker_unreachable', cause.message || undefined, { cause })
}

/** One MQTT 3.1.1 connection. It ends once; who wants another opens another. */
export class Connection implements AsyncDisposable {
  readonly #client: MqttClient
  readonly #ended = Promise.withResolvers<PorchlightError>()
  /** Resolves with the reason when the connection is over; never rejects. */
  readonly ended: Promise<PorchlightError> = this.#ended.promise
  readonly #waiting = new Set<(reason: PorchlightError) => void>()
  #over = false

  private constructor(client: MqttClient) {
    this.#client = client
    let last: Error | undefined
    client.on('error', (error) => {
      last = error
      client.end(true)
    })
    client.on('close', () =>
      this.#end(last ? toError(last) : new PorchlightError('broker_unreachable', 'connection closed')),
    )
  }

  /**
   * Connects and subscribes.
   * @throws PorchlightError `broker_auth`, `broker_unreachable`
   */
  static async open(options: ConnectionOptions, signal: AbortSignal): Promise<Connection> {
    const settings: IClientOptions = {
      clientId: options.device,
      username: options.user,
      password: options.password,
      protocolVersion: 4,
      clean: true,
      // Waiting and trying again is ours: with jitter, with a fresh credential, with a new epoch in the will.
      reconnectPeriod: 0,
      connectTimeout: answerMs,
      keepalive: options.keepaliveSeconds,
      resubscribe: false,
      queueQoSZero: false,
      will: { topic: options.will.topic, payload: options.will.payload, qos: 1, retain: true },
      ...(options.ca !== undefined && { ca: options.ca }),
    }
    const client = connect(options.url, settings)
    client.on('message', (topic, payload) => options.onMessage(topic, payload))
    const connection = new Connection(client)
    const abort = () => connection.kill()
    signal.addEventListener('abort', abort, { once: true })
    try {
      const connected = Promise.withResolvers<void>()
      client.once('connect', () => connected.resolve())
      await connection.#orEnd(connected.promise)
      const granted = await connection.#orEnd(client.subscribeAsync([...options.subscribe], { qos: 1 }))
      if (granted.some((grant) => grant.qos === 128)) throw new PorchlightError('broker_auth', 'subscription refused')
      return connection
    } catch (error) {
      connection.kill()
      throw error instanceof PorchlightError
        ? error
        : toError(error instanceof Error ? error : new Error(String(error)))
    } finally {
      signal.removeEventListener('abort', abort)
    }
  }

  get open(): boolean {
    return !this.#over
  }

  /** Publishes at QoS 1; resolves at PUBACK. @throws PorchlightError `broker_unreachable` */
  async publish(topic: string, payload: string, retain = false): Promise<void> {
    try {
      await this.#orEnd(this.#client.publishAsync(topic, payload, { qos: 1, retain }))
    } catch (error) {
      throw error instanceof PorchlightError
        ? error
        : toError(error instanceof Error ? error : new Error(String(error)))
    }
  }

  /** Says DISCONNECT: the broker forgets the will. Idempotent. */
  async close(): Promise<void> {
    if (this.#over) return
    const timer = setTimeout(() => this.kill(), 2_000)
    this.#client.end(false, {}, () => this.kill())
    await this.ended
    clearTimeout(timer)
  }

  /** Cuts the connection: the broker publishes the will. Idempotent. */
  kill(): void {
    this.#end(new PorchlightError('broker_unreachable', 'closed'))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** `work`, or the connection's end or a time-out as an error, whichever comes first. */
  async #orEnd<T>(work: Promise<T>): Promise<T> {
    const { promise, reject } = Promise.withResolvers<never>()
    const timer = setTimeout(() => reject(new PorchlightError('broker_unreachable', 'no answer')), answerMs)
    this.#waiting.add(reject)
    try {
      return await Promise.race([work, promise])
    } finally {
      clearTimeout(timer)
      this.#waiting.delete(reject)
    }
  }

  #end(reason: PorchlightError): void {
    this.#over = true
    this.#client.end(true)
    for (const reject of this.#waiting) reject(reason)
    this.#ended.resolve(reason)
  }
}
