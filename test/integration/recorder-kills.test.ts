import { expect, test } from 'vitest'
import { killRecorders } from '../support/recorder-kills.ts'
import { tempDir } from '../support/temp-dir.ts'

test('20 kills while recording lose nothing that was durable', async () => {
  const { kills, durable } = await killRecorders(await tempDir(), 20, 4)
  expect(kills).toBe(20)
  expect(durable).toBeGreaterThan(20)
})
