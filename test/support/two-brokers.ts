import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { deviceMayPublish, deviceMaySubscribe } from '@porchlight/proto/topics.ts'
import { Aedes } from 'aedes'
import { connectAsync } from 'mqtt'

type AtEnd = (cleanUp: () => Promise<void>) => void

/** What the bridge makes of a message that comes from `side`. */
export type Meddler = (side: 'device' | 'gateway', topic: string, payload: string) => string

/**
 * Two brokers with a bridge between them that may change what it carries: the dishonest broker. Devices connect to one,
 * the gateway to the other; anybody may connect.
 */
export async function openTwoBrokers(
  atEnd: AtEnd,
  meddle: Meddler,
): Promise<{ deviceSide: { url: string }; gatewaySide: { url: string } }> {
  const deviceSide = await openBroker(atEnd)
  const gatewaySide = await openBroker(atEnd)
  await carry('device', deviceSide.url, gatewaySide.url, deviceMayPublish, meddle, atEnd)
  await carry('gateway', gatewaySide.url, deviceSide.url, deviceMaySubscribe, meddle, atEnd)
  return { deviceSide, gatewaySide }
}

async function openBroker(atEnd: AtEnd): Promise<{ url: string }> {
  const broker = await Aedes.createBroker()
  const server = createServer(broker.handle).listen(0, '127.0.0.1')
  await once(server, 'listening')
  atEnd(async () => {
    await new Promise<void>((resolve) => broker.close(resolve))
    server.close()
  })
  return { url: `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

async function carry(
  side: 'device' | 'gateway',
  from: string,
  to: string,
  suffixes: readonly string[],
  meddle: Meddler,
  atEnd: AtEnd,
): Promise<void> {
  const source = await connectAsync(from, { clientId: `bridge-from-${side}` })
  const target = await connectAsync(to, { clientId: `bridge-to-${side}` })
  atEnd(async () => {
    await source.endAsync(true)
    await target.endAsync(true)
  })
  source.on('message', (topic, payload, { qos, retain }) => {
    const retained = retain || topic.endsWith('/presence') || topic.endsWith('/cameras')
    target.publish(topic, meddle(side, topic, payload.toString()), { qos, retain: retained })
  })
  await source.subscribeAsync(
    suffixes.map((suffix) => `pl/v1/d/+/${suffix}`),
    { qos: 1 },
  )
}
