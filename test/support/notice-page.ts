import { viewerSubscriptions } from '@porchlight/proto/topics.ts'
import { connectAsync, type MqttClient } from 'mqtt'
import type { AtEnd } from './child.ts'
import type { TestGateway } from './test-gateway.ts'

type Notice = { type: string; [member: string]: unknown }

/** What an open page hears: the notices on `/mqtt`. */
export class NoticePage {
  readonly client: MqttClient
  readonly notices: Notice[] = []
  readonly #waiting = new Set<() => void>()

  constructor(client: MqttClient) {
    this.client = client
    client.on('error', () => undefined)
    client.on('message', (_topic, payload) => {
      if (payload.length === 0) return
      this.notices.push(JSON.parse(payload.toString()) as Notice)
      for (const wake of this.#waiting) wake()
    })
  }

  static async open(gateway: TestGateway, headers: Record<string, string>, atEnd: AtEnd): Promise<NoticePage> {
    const client = await connectAsync(`${gateway.url.replace('http', 'ws')}/mqtt`, {
      reconnectPeriod: 0,
      wsOptions: { headers },
    })
    atEnd(async () => {
      await client.endAsync(true)
    })
    const page = new NoticePage(client)
    await client.subscribeAsync(viewerSubscriptions)
    return page
  }

  /** The first notice, heard already or yet to come, that fits. */
  notice(fits: (notice: Notice) => boolean): Promise<Notice> {
    const { promise, resolve } = Promise.withResolvers<Notice>()
    const look = () => {
      const found = this.notices.find(fits)
      if (!found) return
      this.#waiting.delete(look)
      resolve(found)
    }
    this.#waiting.add(look)
    look()
    return promise
  }
}
