/**
 * The simulated camera as a program: `node test/sim/camera.ts [--port 8554] [--user u --password p] [--gop 50]
 * [--bitrate 2000000] [--file some.mp4] [--transport tcp|udp|any] …`. Says one JSON line with its addresses.
 */
import { parseArgs } from 'node:util'
import type { AuthScheme } from './rtsp/auth.ts'
import { type CameraOptions, startCamera } from './start-camera.ts'

const { values } = parseArgs({
  options: {
    port: { type: 'string' },
    host: { type: 'string' },
    control: { type: 'string' },
    user: { type: 'string' },
    password: { type: 'string' },
    scheme: { type: 'string', multiple: true },
    transport: { type: 'string' },
    backchannel: { type: 'string' },
    timeout: { type: 'string' },
    file: { type: 'string' },
    'sub-file': { type: 'string' },
    gop: { type: 'string' },
    bitrate: { type: 'string' },
    tone: { type: 'string' },
    'no-audio': { type: 'boolean' },
  },
})

function number(name: 'port' | 'control' | 'timeout' | 'gop' | 'bitrate' | 'tone'): number | undefined {
  const value = values[name]
  if (value === undefined) return undefined
  if (!/^\d+$/.test(value)) throw new Error(`--${name} wants a whole number`)
  return Number(value)
}

function choice<Choice extends string>(
  name: string,
  value: string | undefined,
  choices: readonly Choice[],
): Choice | undefined {
  if (value === undefined) return undefined
  const found = choices.find((one) => one === value)
  if (found === undefined) throw new Error(`--${name} is one of ${choices.join(', ')}`)
  return found
}

const schemes: readonly AuthScheme[] = ['basic', 'digest-md5', 'digest-sha256']
const toneHz = number('tone')
const given: { [Name in keyof CameraOptions]: CameraOptions[Name] | undefined } = {
  port: number('port'),
  host: values.host,
  controlPort: number('control') ?? 0,
  user: values.user,
  password: values.password ?? process.env.SIM_CAMERA_PASSWORD,
  schemes: values.scheme?.flatMap((scheme) => choice('scheme', scheme, schemes) ?? []),
  transport: choice('transport', values.transport, ['any', 'tcp', 'udp'] as const),
  backchannel: choice('backchannel', values.backchannel, ['pcmu', 'pcma', 'off', 'refused'] as const),
  timeoutSeconds: number('timeout'),
  file: values.file,
  subFile: values['sub-file'],
  gop: number('gop'),
  bitrate: number('bitrate'),
  audio: values['no-audio'] ? false : undefined,
  knobs: toneHz === undefined ? undefined : { toneHz },
}
const options = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as CameraOptions
const camera = await startCamera(options)
console.log(JSON.stringify({ url: camera.url, subUrl: camera.subUrl, controlUrl: camera.controlUrl }))
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void camera.close())
