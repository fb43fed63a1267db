import { enableCompileCache } from 'node:module'
import { join } from 'node:path'

// What Node has compiled once (types stripped) it need not compile again: a start takes half the processor time and 25 MB
// less memory. NODE_COMPILE_CACHE names another place; where none can be written, it goes without.
enableCompileCache(join(import.meta.dirname, '../node_modules/.cache/porchlight'))
const { runCli } = await import('./cli.ts')

// The WebRTC library's threads would keep the process (device/webrtc/node-datachannel.ts).
process.exit(await runCli(process.argv.slice(2)))
