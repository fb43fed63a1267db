import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { bad, type Check, good } from './check.ts'
import { judgeClock } from './clock.ts'

const timeoutMs = 10_000

export interface GatewayDeps {
  api: string
  authority(url: URL, signal: AbortSignal): Promise<string | undefined>
  now: () => number
}

interface Health {
  status: number
  date: string | undefined
  sentAt: number
  gotAt: number
}

async function askHealth({ api, authority, now }: GatewayDeps): Promise<Health> {
  const url = new URL('/api/health', api)
  const signal = AbortSignal.timeout(timeoutMs)
  const ca = await authority(url, signal)
  const sentAt = now()
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest
  send(url, { signal, ...(ca !== undefined && { ca }) })
    .on('response', resolve)
    .on('error', reject)
    .end()
  const response = await promise
  response.resume()
  return { status: response.statusCode ?? 0, date: response.headers.date, sentAt, gotAt: now() }
}

/** The gateway's HTTP, and with the same request the two clocks. */
export function gatewayChecks(deps: GatewayDeps): Check[] {
  let health: Health | undefined
  return [
    {
      name: 'gateway',
      run: async () => {
        try {
          health = await askHealth(deps)
        } catch (error) {
          const why = error instanceof Error ? error.message : String(error)
          return bad(
            `${deps.api}: ${why}`,
            'Is the gateway running, and does its address (publicUrl) reach it from here?',
          )
        }
        const text = `${deps.api} answers in ${Math.round(health.gotAt - health.sentAt)} ms`
        if (health.status === 200) return good(text)
        return bad(
          `${deps.api}: HTTP ${health.status}`,
          'Something else answers there, or the gateway is not well: see its log.',
        )
      },
    },
    {
      name: 'clock',
      run: async () => {
        if (health === undefined) return bad('not compared', 'Needs the gateway.')
        return judgeClock(health.date, health.sentAt, health.gotAt)
      },
    },
  ]
}
