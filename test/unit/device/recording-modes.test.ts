import { readFile, writeFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { RecordingModes, recordingModesFile } from '../../../device/recording-modes.ts'
import { quietLog } from '../../support/quiet-log.ts'
import { tempDir } from '../../support/temp-dir.ts'

test('what the gateway said last holds at the next start', async () => {
  const dataDir = await tempDir()
  const modes = RecordingModes.open(dataDir, quietLog)
  expect(modes.of('door')).toBe('events')
  expect(modes.set('door', 'off')).toBe(true)
  expect(modes.set('door', 'off')).toBe(false)
  modes.set('garden', 'continuous')
  await modes.close()
  const next = RecordingModes.open(dataDir, quietLog)
  expect([next.of('door'), next.of('garden'), next.of('gate')]).toEqual(['off', 'continuous', 'events'])
})

test.each(['', '{"door":', '[]', '{"door":"everything"}', '{"__proto__":"off"}'])(
  'a file of %j is as none, and the next word mends it',
  async (text) => {
    const dataDir = await tempDir()
    await writeFile(recordingModesFile(dataDir), text)
    const modes = RecordingModes.open(dataDir, quietLog)
    expect(modes.of('door')).toBe('events')
    modes.set('door', 'off')
    await modes.close()
    expect(JSON.parse(await readFile(recordingModesFile(dataDir), 'utf8'))).toEqual({ door: 'off' })
  },
)
