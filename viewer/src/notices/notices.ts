import './jitless.ts'
import { parseMessage } from '@porchlight/proto/messages/envelope.ts'
import { cameraNotice, eventNotice, floorNotice } from '@porchlight/proto/messages/notice.ts'
import { viewerSubscriptions } from '@porchlight/proto/topics.ts'
import mqtt from 'mqtt'
import { z } from 'zod'

const notice = z.discriminatedUnion('type', [cameraNotice, eventNotice, floorNotice])
export type Notice = z.infer<typeof notice>

/** Nothing is heard for at most this long before a dead connection is found, s. */
const keepaliveS = 15
const connectTimeoutMs = 8_000

/**
 * One connection to the gateway's notices (MQTT 3.1.1 over this page's own origin; the cookie says who we are).
 * @param on.closed called once, after which this connection is over
 */
export function openNotices(on: { notice(notice: Notice): void; open(): void; closed(): void }): { close(): void } {
  const scheme = location.protocol === 'https:' ? 'wss' : 'ws'
  const client = mqtt.connect(`${scheme}://${location.host}/mqtt`, {
    protocolVersion: 4,
    clean: true,
    keepalive: keepaliveS,
    connectTimeout: connectTimeoutMs,
    // Coming back is decided in one place, with back-off and jitter: notices/contact-keeper.ts.
    reconnectPeriod: 0,
    // Timers in a worker would need `blob:` in the Content-Security-Policy.
    timerVariant: 'native',
  })
  let over = false
  const close = () => {
    if (over) return
    over = true
    client.end(true)
  }
  client.on('connect', () => {
    client.subscribe([...viewerSubscriptions], { qos: 0 }, (error) => {
      if (error) client.end(true)
      else on.open()
    })
  })
  client.on('message', (_topic, payload) => {
    try {
      on.notice(parseMessage(notice, payload))
    } catch (error) {
      console.warn('A notice was dropped:', error)
    }
  })
  client.on('error', (error) => console.info('The notices connection failed:', error.message))
  client.on('close', () => {
    if (over) return
    close()
    on.closed()
  })
  return { close }
}
