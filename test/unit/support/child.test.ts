import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { runToEnd, startNode } from '../../support/child.ts'
import { tempDir } from '../../support/temp-dir.ts'

async function program(source: string): Promise<string> {
  const file = join(await tempDir(), 'program.mjs')
  await writeFile(file, source)
  return file
}

test('JSON lines and other lines can be waited for, before and after they came', async () => {
  const file = await program(`
    console.log('hello'); console.log('{"url":"a"}')
    process.stdin.once('data', () => { console.error('told'); console.log('{"second":2}') })
    process.stdin.resume()`)
  const child = startNode(file, {}, onTestFinished)
  expect(await child.json()).toEqual({ url: 'a' })
  expect(await child.line(/^hel/)).toBe('hello')
  const second = child.json((line) => 'second' in line)
  child.say('go')
  expect(await second).toEqual({ second: 2 })
  await child.line(/told/)
  await child.stop()
  expect(await child.stop()).toBe('SIGTERM')
})

test('a child that ends early says so, with what it said', async () => {
  const child = startNode(await program(`console.error('no port'); process.exitCode = 3`), {}, onTestFinished)
  await expect(child.json()).rejects.toThrow(/no port/)
  expect(await child.ended).toBe(3)
})

test('a program that does not exist ends at once', async () => {
  const child = startNode('/nowhere/at-all.mjs', {}, onTestFinished)
  await expect(child.json()).rejects.toThrow(/at-all/)
})

test('a program can be run to its end', async () => {
  const file = await program(`process.stdout.write('out'); process.stderr.write('err'); process.exitCode = 2`)
  expect(await runToEnd(process.execPath, [file])).toEqual({ code: 2, stdout: 'out', stderr: 'err' })
})
