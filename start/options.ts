import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { PorchlightError } from '@porchlight/proto/errors.ts'

export const help = `npm start -- [options]

  --camera <url>       a real camera (rtsp:// or rtsps://) in place of the simulated doorbell; may be given again
  --user, --password   what all these cameras ask for; or write them into each address
  --lan                open to phones of this house: certificate, host name, a page that explains, a QR code
  --data <directory>   where everything is kept                             (default ./.porchlight)
  --port <number>      HTTP or HTTPS of the gateway                         (default 4880, else a free one)
  --media-port <n>     UDP of all pictures and sound                        (default 4880, else a free one)
  --broker-port <n>    MQTT of the devices, on this machine only            (default 4883, else a free one)
  --trust-port <n>     with --lan: HTTP of the page that explains           (default 4888, else a free one)
  --verbose            also show what the programs log
`

export interface Options {
  cameras: { url: string; user?: string; password?: string }[]
  data: string
  lan: boolean
  verbose: boolean
  help: boolean
  ports: { http?: number; media?: number; broker?: number; trust?: number }
}

/** @throws PorchlightError `config_invalid` */
export function readOptions(argv: readonly string[]): Options {
  const text = { type: 'string' } as const
  const flag = { type: 'boolean', default: false } as const
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        camera: { type: 'string', multiple: true, default: [] },
        user: text,
        password: text,
        data: { type: 'string', default: './.porchlight' },
        port: text,
        'media-port': text,
        'broker-port': text,
        'trust-port': text,
        lan: flag,
        verbose: flag,
        help: flag,
      },
    })
    const ports = {
      http: values.port,
      media: values['media-port'],
      broker: values['broker-port'],
      trust: values['trust-port'],
    }
    return {
      cameras: values.camera.map((url) => cameraOf(url, values.user, values.password)),
      data: resolve(values.data),
      lan: values.lan,
      verbose: values.verbose,
      help: values.help,
      ports: Object.fromEntries(
        Object.entries(ports).flatMap(([name, port]) => (port === undefined ? [] : [[name, portOf(name, port)]])),
      ),
    }
  } catch (cause) {
    if (cause instanceof PorchlightError) throw cause
    throw new PorchlightError('config_invalid', cause instanceof Error ? cause.message : undefined, { cause })
  }
}

/** The agent takes user and password apart from the address, so that no log line can show them. */
function cameraOf(address: string, user: string | undefined, password: string | undefined): Options['cameras'][number] {
  if (!/^rtsps?:\/\//.test(address) || !URL.canParse(address))
    throw new PorchlightError('config_invalid', '--camera wants rtsp://… or rtsps://…')
  const url = new URL(address)
  const own = { user: decodeURIComponent(url.username) || user, password: decodeURIComponent(url.password) || password }
  // The address stays as it was typed: cameras compare it letter by letter.
  const bare = address.replace(/^(rtsps?:\/\/)[^/@]*@/, '$1')
  return {
    url: bare,
    ...(own.user === undefined ? {} : { user: own.user }),
    ...(own.password === undefined ? {} : { password: own.password }),
  }
}

function portOf(name: string, text: string): number {
  const port = Number(text)
  if (!/^\d+$/.test(text) || port < 1 || port > 65_535)
    throw new PorchlightError('config_invalid', `${name} port: a number from 1 to 65535`)
  return port
}
