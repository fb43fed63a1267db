import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { webmHeader } from '@porchlight/proto/media/webm/header.ts'
import { expect, test } from 'vitest'
import { DiskFiles } from '../../../../gateway/recorder/disk-files.ts'
import { type FileLayer, fileLayer } from '../../../../gateway/recorder/file-layer.ts'
import { tempDir } from '../../../support/temp-dir.ts'

const bytes = (text: string) => new TextEncoder().encode(text)
const stem = 'door.front/2026-11-21/120000.000-live'

function broken(name: 'fdatasyncSync' | 'fsyncSync' | 'ftruncateSync', code: string) {
  const state = { fails: false, calls: 0 }
  const layer: FileLayer = {
    ...fileLayer,
    [name]: (...values: unknown[]) => {
      state.calls += 1
      if (state.fails) throw Object.assign(new Error(code), { code })
      return (fileLayer[name] as (...all: unknown[]) => void)(...values)
    },
  }
  return { layer, state }
}

test('after a failed fdatasync a file is not written again, holds what was durable, and counts as not whole', async () => {
  const directory = await tempDir()
  const { layer, state } = broken('fdatasyncSync', 'EIO')
  const files = new DiskFiles(directory, layer)
  const { file, path } = files.create(stem, [bytes('head')])
  files.append(file, [bytes('one')])
  state.fails = true
  expect(() => files.append(file, [bytes('two')])).toThrow('EIO')
  state.fails = false
  const { calls } = state
  // the second fdatasync would succeed: Linux tells of lost pages once
  expect(() => files.append(file, [bytes('two')])).toThrow('not written again')
  expect(state.calls).toBe(calls)
  expect(files.finish(file)).toEqual({ whole: false })
  expect(readFileSync(join(directory, path), 'utf8')).toBe('headone')
})

test('a file that was written to its end is whole and read-only', async () => {
  const directory = await tempDir()
  const files = new DiskFiles(directory)
  const { file, path } = files.create(stem, [bytes('head')])
  expect(files.append(file, [bytes('one')])).toEqual({ offset: 4 })
  expect(files.finish(file)).toEqual({ whole: true })
  expect(statSync(join(directory, path)).mode & 0o222).toBe(0)
})

test('a file whose name is not durable is not there, and the next one waits for its folders again', async () => {
  const directory = await tempDir()
  const { layer, state } = broken('fsyncSync', 'EIO')
  const files = new DiskFiles(directory, layer)
  state.fails = true
  expect(() => files.create(stem, [bytes('head')])).toThrow('EIO')
  expect(existsSync(join(directory, `${stem}-1.mp4`))).toBe(false)
  state.fails = false
  state.calls = 0
  files.create(stem, [bytes('head')])
  // the day in the camera's folder, the camera in the directory, the file in the day
  expect(state.calls).toBe(3)
  files.create(stem, [bytes('head')])
  expect(state.calls).toBe(4)
  files.close()
})

test('what replaces a file and fails leaves the file as it was, and nothing beside it', async () => {
  const directory = await tempDir()
  const { layer, state } = broken('fdatasyncSync', 'ENOSPC')
  const files = new DiskFiles(directory, layer)
  files.replace('still.jpg', bytes('old'))
  state.fails = true
  expect(() => files.replace('still.jpg', bytes('new'))).toThrow('ENOSPC')
  expect(readdirSync(directory)).toEqual(['still.jpg'])
  expect(readFileSync(join(directory, 'still.jpg'), 'utf8')).toBe('old')
})

test('a file is called after what it holds, and WebM is deleted as MP4 is', async () => {
  const directory = await tempDir()
  const files = new DiskFiles(directory)
  const webm = files.create(stem, [webmHeader({ width: 320, height: 240 }, undefined)])
  expect([webm.path, files.create(stem, [bytes('head')]).path]).toEqual([`${stem}-1.webm`, `${stem}-1.mp4`])
  files.close()
  files.remove(webm.path)
  expect(existsSync(join(directory, webm.path))).toBe(false)
})
