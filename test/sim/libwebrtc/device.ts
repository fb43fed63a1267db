import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { parseEnrolment } from '@porchlight/proto/identity/enrolment.ts'
import { identityFromPem } from '@porchlight/proto/identity/keys.ts'
import { toWav } from '../../support/wav.ts'
import { openDevicePeer } from './device-peer.ts'
import { frameHeight, frameWidth } from './peer.ts'
import { ForeignDevice } from './signaling.ts'

/**
 * A simulated device on real libwebrtc, to be run as a process of its own (@roamhq/wrtc may crash at a natural exit, so
 * it is left by `process.exit` after everything is closed).
 *
 * stdin: `ring ID`, `heard FILE` (writes the talk heard so far as WAV), `quit`. stdout: one JSON line when connected.
 */
const { values } = parseArgs({ options: { enrolment: { type: 'string' }, key: { type: 'string' } } })
if (!values.enrolment || !values.key) throw new Error('--enrolment LINE --key PEM')

const heard: Int16Array[] = []
let heardRate = 48_000
const device = new ForeignDevice(
  parseEnrolment(values.enrolment),
  identityFromPem(values.key),
  {
    camera: 'door',
    title: 'libwebrtc door',
    kind: 'doorbell',
    state: 'live',
    video: { codec: 'vp9', width: frameWidth, height: frameHeight },
    audio: 'opus',
    talk: 'opus',
    motion: 'off',
    notes: [],
  },
  () =>
    openDevicePeer((samples, rate) => {
      heard.push(samples.slice())
      heardRate = rate
    }),
)
await device.connect()
console.log(JSON.stringify({ ready: true }))

process.stdin.setEncoding('utf8')
for await (const chunk of process.stdin) {
  for (const line of String(chunk).split('\n')) {
    const [verb, argument] = line.trim().split(' ')
    if (verb === 'ring') await device.ring(argument ?? 'ring-0001')
    if (verb === 'heard' && argument) {
      const samples = heard.flatMap((block) => [...block])
      writeFileSync(argument, toWav(Int16Array.from(samples), heardRate))
      console.log(JSON.stringify({ heard: samples.length }))
    }
    if (verb === 'quit') {
      await device.close()
      setTimeout(() => process.exit(0), 300)
    }
  }
}
