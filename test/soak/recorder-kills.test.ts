import { expect, test } from 'vitest'
import { killRecorders } from '../support/recorder-kills.ts'
import { tempDir } from '../support/temp-dir.ts'

test('200 kills while recording lose nothing that was durable', async () => {
  const { kills, durable, takenIn, files } = await killRecorders(await tempDir(), 200, 200)
  process.stdout.write(`${JSON.stringify({ kills, durable, takenIn, files })}\n`)
  expect(kills).toBe(200)
  expect(durable).toBeGreaterThan(1_000)
  expect(takenIn).toBeGreaterThan(0)
})
