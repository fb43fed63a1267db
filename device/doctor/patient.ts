import { cameraState } from '@porchlight/proto/messages/cameras.ts'
import type { Logger } from 'pino'
import { z } from 'zod'
import type { DeviceConfig } from '../config.ts'
import type { Patient } from './doctor.ts'

const health = z.object({
  device: z.string(),
  online: z.boolean(),
  error: z.string().optional(),
  engine: z.string(),
  cameras: z.array(
    cameraState.extend({ session: z.object({ live: z.boolean(), ended: z.string().optional() }).optional() }),
  ),
})

/** The agent that runs on this machine with this configuration; undefined where there is none. */
export async function runningAgent(
  config: DeviceConfig,
  device: string,
  token: string,
  log: Logger,
): Promise<Patient | undefined> {
  const url = `http://${config.http.host.includes(':') ? `[${config.http.host}]` : config.http.host}:${config.http.port}/health`
  const ask = async () => {
    const response = await fetch(url, {
      headers: { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(3_000),
    })
    return health.parse(await response.json())
  }
  try {
    if ((await ask()).device !== device) return undefined
  } catch (error) {
    log.debug({ err: error }, 'no agent runs')
    return undefined
  }
  return {
    running: true,
    view: ask,
    stream: async () => undefined,
    [Symbol.asyncDispose]: async () => undefined,
  }
}
