import { pino } from 'pino'
import { describe, expect, test } from 'vitest'
import { chooseEngine, type LoadEngine } from '../../../../device/webrtc/choose-engine.ts'
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

  test('that was asked for by name and does not load is an error with the reason', async () => {
    const load = { ...both, 'node-datachannel': broken }
    await expect(chooseEngine('node-datachannel', quietLog, load)).rejects.toMatchObject({
      code: 'engine_unavailable',
      detail: 'libdatachannel.node: wrong ELF class',
    })
    expect((await chooseEngine('werift', quietLog, load)).name).toBe('werift')
  })
})
