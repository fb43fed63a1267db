import { pino } from 'pino'
import { expect, onTestFinished, test } from 'vitest'
import { type ChildOptions, SupervisedChild } from '../../../../device/ffmpeg/supervised-child.ts'

const log = pino({ level: 'silent' })

function child(script: string, options: Partial<ChildOptions> = {}): SupervisedChild {
  const running = new SupervisedChild({
    command: process.execPath,
    args: ['-e', script],
    log,
    random: () => 0,
    ...options,
  })
  onTestFinished(() => running.close())
  return running
}

const alive = (pid: number) => {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    if (error instanceof Error) return false
    throw error
  }
}

test('what goes in comes out, on standard output and on the side', async () => {
  const main = Promise.withResolvers<string>()
  const side = Promise.withResolvers<string>()
  const started = Promise.withResolvers<void>()
  const running = child(
    "process.stdin.on('data', (d) => { process.stdout.write(d); require('fs').writeSync(3, 'side') })",
    {
      onStart: () => started.resolve(),
      onData: (chunk) => main.resolve(chunk.toString()),
      onSideData: (chunk) => side.resolve(chunk.toString()),
    },
  )
  await started.promise
  expect(running.write(Buffer.from('hello'))).toBe(true)
  expect(await main.promise).toBe('hello')
  expect(await side.promise).toBe('side')
})

test('one that ends is started again, and its last words stand in the error', async () => {
  const failed = Promise.withResolvers<Error & { code?: string }>()
  const twice = Promise.withResolvers<void>()
  let starts = 0
  child("console.error('the lens is dirty'); process.exitCode = 3", {
    onStart: () => {
      if (++starts === 2) twice.resolve()
    },
    onFailure: (error) => failed.resolve(error),
  })
  const error = await failed.promise
  expect(error).toMatchObject({ code: 'ffmpeg_failed' })
  expect(error.message).toContain('exit 3')
  expect(error.message).toContain('the lens is dirty')
  await twice.promise
})

test('a program that is not there is a failure, not a crash', async () => {
  const failed = Promise.withResolvers<Error>()
  child('', { command: '/nowhere/ffmpeg', code: 'speaker_failed', onFailure: (error) => failed.resolve(error) })
  expect(await failed.promise).toMatchObject({ code: 'speaker_failed' })
})

test('input that the child does not take is bounded', async () => {
  const started = Promise.withResolvers<void>()
  const running = child('setInterval(() => 0, 1000)', { maxQueuedBytes: 200_000, onStart: () => started.resolve() })
  await started.promise
  const piece = new Uint8Array(60_000)
  const taken = Array.from({ length: 20 }, () => running.write(piece)).filter((ok) => ok).length
  expect(taken).toBeLessThan(8)
  expect(running.refused).toBe(20 - taken)
})

test('a wanted restart is no failure', async () => {
  let failures = 0
  let starts = 0
  const first = Promise.withResolvers<void>()
  const second = Promise.withResolvers<void>()
  const running = child('setInterval(() => 0, 1000)', {
    onStart: () => (++starts === 1 ? first : second).resolve(),
    onFailure: () => failures++,
  })
  await first.promise
  const { pid } = running
  running.restart()
  await second.promise
  expect(running.pid).not.toBe(pid)
  expect(failures).toBe(0)
})

test('close ends it for good, even one that does not listen, and may be called twice', async () => {
  const ready = Promise.withResolvers<void>()
  const running = child("process.on('SIGTERM', () => 0); setInterval(() => 0, 1000); console.log('ready')", {
    onData: () => ready.resolve(),
  })
  await ready.promise
  const pid = running.pid!
  await Promise.all([running.close(), running.close()])
  expect(alive(pid)).toBe(false)
  expect(running.write(Uint8Array.of(1))).toBe(false)
})
