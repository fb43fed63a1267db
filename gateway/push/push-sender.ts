import { createHash } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import { backoff } from '@porchlight/proto/backoff.ts'
import type { Logger } from 'pino'
import webPush from 'web-push'
import type { VapidKeys } from '../identity/gateway-identity.ts'
import type { Metrics } from '../metrics/metrics.ts'
import type { PushPayload } from './payload.ts'
import { postPush } from './post.ts'
import type { PushSubscriptions, StoredSubscription } from './subscriptions.ts'

export interface PushSenderOptions {
  subscriptions: Pick<PushSubscriptions, 'all' | 'remove'>
  vapid: VapidKeys
  /** `mailto:` or `https:` (RFC 8292 §2.1) */
  subject: string
  allowInsecure: boolean
  metrics: Metrics
  log: Logger
  /** uniform in [0, 1) */
  random: () => number
}

export interface PushDelivery {
  /** How long a service keeps it for a phone that is off, seconds (RFC 8030 §5.2). */
  ttl: number
  urgency: 'high' | 'normal'
}

/** Requests at a time; further ones wait. */
const parallel = 8
/** Requests that wait; what comes on top is dropped and counted. */
const maxWaiting = 512
const timeoutMs = 10_000
const tries = 3

/** Wakes closed pages: encrypts (RFC 8291), signs (RFC 8292) and delivers, with bounded parallelism and retries. */
export class PushSender implements AsyncDisposable {
  readonly #options: PushSenderOptions
  readonly #waiting: (() => Promise<void>)[] = []
  readonly #stop = new AbortController()
  readonly #running = new Set<Promise<void>>()

  constructor(options: PushSenderOptions) {
    this.#options = options
  }

  /** Queues one message to every subscription. A later one of the same tag replaces it, on the way as on the screen. */
  async send(payload: PushPayload, delivery: PushDelivery): Promise<void> {
    const text = JSON.stringify(payload)
    // RFC 8030 §5.4: at most 32 characters of base64url.
    const topic = createHash('sha256').update(payload.tag).digest('base64url').slice(0, 32)
    for (const subscription of await this.#options.subscriptions.all()) {
      if (this.#stop.signal.aborted) return
      if (this.#waiting.length >= maxWaiting) this.#options.metrics.pushes.inc({ result: 'dropped' })
      else this.#waiting.push(() => this.#deliver(subscription, text, { ...delivery, topic }))
    }
    this.#pump()
  }

  /** Drops what waits, ends what runs. Idempotent. */
  async close(): Promise<void> {
    this.#stop.abort()
    this.#waiting.length = 0
    await Promise.all(this.#running)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #pump(): void {
    while (this.#running.size < parallel) {
      const job = this.#waiting.shift()
      if (!job) return
      const run = job()
        .catch((error: unknown) => {
          this.#options.metrics.pushes.inc({ result: 'failed' })
          this.#options.log.warn({ err: error }, 'a web push failed')
        })
        .finally(() => {
          this.#running.delete(run)
          this.#pump()
        })
      this.#running.add(run)
    }
  }

  async #deliver(
    subscription: StoredSubscription,
    text: string,
    delivery: PushDelivery & { topic: string },
  ): Promise<void> {
    const { vapid, subject, allowInsecure, metrics, log, subscriptions, random } = this.#options
    const { signal } = this.#stop
    const { hostname } = new URL(subscription.endpoint)
    for (let attempt = 0; attempt < tries && !signal.aborted; attempt++) {
      const { endpoint, headers, body } = webPush.generateRequestDetails(subscription, text, {
        vapidDetails: { subject, publicKey: vapid.publicKey, privateKey: vapid.privateKey },
        TTL: delivery.ttl,
        urgency: delivery.urgency,
        topic: delivery.topic,
        contentEncoding: webPush.supportedContentEncodings.AES_128_GCM,
      })
      const answer = await this.#post(
        { endpoint, headers: toStrings(headers), body: body ?? Buffer.alloc(0) },
        allowInsecure,
      )
      if (answer && answer.status >= 200 && answer.status < 300) {
        metrics.pushes.inc({ result: 'sent' })
        return
      }
      // RFC 8030 §7.3: the subscription is over.
      if (answer?.status === 404 || answer?.status === 410) {
        metrics.pushes.inc({ result: 'gone' })
        await subscriptions.remove(subscription.endpoint)
        return
      }
      const mayHelp = answer === undefined || answer.status === 429 || answer.status >= 500
      log.warn({ status: answer?.status, host: hostname }, 'a push service refused a message')
      if (!mayHelp || attempt + 1 === tries) break
      const pause = Math.min((answer?.retryAfter ?? 0) * 1_000 + backoff(attempt, random, 1_000), 30_000)
      await wait(pause, undefined, { signal }).catch((error: unknown) => {
        if (!signal.aborted) throw error
      })
    }
    metrics.pushes.inc({ result: 'failed' })
  }

  async #post(request: Parameters<typeof postPush>[0], allowInsecure: boolean) {
    try {
      return await postPush(request, { allowInsecure, timeoutMs })
    } catch (error) {
      this.#options.log.debug({ err: error }, 'a push service did not answer')
      return undefined
    }
  }
}

function toStrings(headers: Record<string, unknown>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]))
}
