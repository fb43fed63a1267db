import { pino } from 'pino'
import { describe, expect, test } from 'vitest'
import { chooseEngine, type LoadEngine } from '../../../../device/webrtc/choose-engine.ts'
import { runToEnd } from '../../../support/child.ts'
import { quietLog } from '../../../support/quiet-log.ts'

const named =
  (name: string): LoadEngine =>
  async () => ({ name, open: () => Promise.reject(new Error('not opened here')) as never })
const broken: LoadEngine = async () => {
  throw new Error('libdatachannel.node: wrong ELF class')
}
const both = { 'node-datachannel': named('node-datachannel'), werift: named('werift') }

describe('the engine', () => {
  test.each([
    ['auto', 'node-datachannel'],
    ['node-datachannel', 'node-datachannel'],
    ['werift', 'werift'],
  ] as const)('%s is %s where both load', async (wanted, name) => {
    expect((await chooseEngine(wanted, quietLog)).name).toBe(name)
  })

  test('is werift where the binary does not load, and the log says why', async () => {
    const lines: string[] = []
    const log = pino({ level: 'warn' }, { write: (line) => void lines.push(line) })
    expect((await chooseEngine('auto', log, { ...both, 'node-datachannel': broken })).name).toBe('werift')
    expect(lines).toHaveLength(1)
    expect(lines[0]).toMatch(/wrong ELF class.*werift serves in its place/)
  })

  test('is werift in a program where the real binary does not load', async () => {
    const hook =
      "import { registerHooks } from 'node:module'; registerHooks({ resolve(name, context, next) {" +
      " if (name === 'node-datachannel') throw new Error('wrong ELF class'); return next(name, context) } })"
    const file = JSON.stringify(import.meta.resolve('../../../../device/webrtc/choose-engine.ts'))
    const program = `const { chooseEngine } = await import(${file}); const log = { warn: () => {}, debug: () => {} }
      console.log((await chooseEngine('auto', log)).name); process.exit(0)`
    const args = ['--import', `data:text/javascript,${encodeURIComponent(hook)}`, '--input-type=module', '-e', program]
    expect(await runToEnd(process.execPath, args)).toMatchObject({ code: 0, stdout: 'werift\n' })
  })

  test('that was asked for by name and does not load is an error with the reason', async () => {
    const load = { ...both, 'node-datachannel': broken }
    await expect(chooseEngine('node-datachannel', quietLog, load)).rejects.toMatchObject({
      code: 'engine_unavailable',
      detail: 'libdatachannel.node: wrong ELF class',
    })
    expect((await chooseEngine('werift', quietLog, load)).name).toBe('werift')
  })
})
