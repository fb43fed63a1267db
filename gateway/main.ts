import { enableCompileCache } from 'node:module'
import { join } from 'node:path'

// What Node has compiled once (types stripped) it need not compile again: starts are several times faster.
// NODE_COMPILE_CACHE names another place; where none can be written, it goes without.
enableCompileCache(join(import.meta.dirname, '../node_modules/.cache/porchlight'))
const { runCli } = await import('./cli.ts')

await runCli(process.argv.slice(2))
