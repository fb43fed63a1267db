/**
 * A process of many viewers. Its one argument is JSON: what they watch. Each line on stdin is a number: so many viewers join
 * (0: none), and a line of JSON says what all of them have received by then. It ends with its stdin.
 */
import { createInterface } from 'node:readline'
import type { JanusTarget } from './janus-viewer.ts'
import type { LoadTarget } from './load.ts'
import type { LoadViewer } from './load-viewer.ts'
import { joinWhep } from './whep-viewer.ts'

const target = JSON.parse(process.argv[2]!) as LoadTarget
const join = target.kind === 'whep' ? () => joinWhep(target) : await janusJoiner(target)
const viewers: LoadViewer[] = []
let request = 0
for await (const line of createInterface({ input: process.stdin })) {
  for (let count = Number(line); count > 0; count--) viewers.push(await join())
  const all = viewers.map((viewer) => viewer.counts())
  const sum = (name: 'received' | 'bytes' | 'lost') => all.reduce((so, one) => so + one[name], 0)
  const totals = { received: sum('received'), bytes: sum('bytes'), lost: sum('lost') }
  const served = all.filter(({ received }) => received > 0).length
  process.stdout.write(`${JSON.stringify({ request: request++, served, ...totals })}\n`)
}
await Promise.all(viewers.map((viewer) => viewer.close()))
process.exit(0)

/** Only who watches Janus loads what speaks to it. */
async function janusJoiner(janus: JanusTarget): Promise<() => Promise<LoadViewer>> {
  const { joinJanus } = await import('./janus-viewer.ts')
  return () => joinJanus(janus)
}
