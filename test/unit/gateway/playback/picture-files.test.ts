import { mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { PictureFiles } from '../../../../gateway/playback/picture-files.ts'
import { tempDir } from '../../../support/temp-dir.ts'

const content = (value: number) => Uint8Array.of(value)

test('the one that was not used for longest goes when there is no more room', async () => {
  const directory = join(await tempDir(), 'pictures')
  const files = new PictureFiles(directory, 2)
  expect(await files.get('a.jpg')).toBeUndefined()
  await files.put('a.jpg', content(1))
  await files.put('b.jpg', content(2))
  expect(await files.get('a.jpg')).toEqual(content(1))
  await files.put('c.jpg', content(3))
  expect((await readdir(directory)).toSorted()).toEqual(['a.jpg', 'c.jpg'])
  expect(await files.get('b.jpg')).toBeUndefined()
})

test('what an earlier gateway kept is used, and counts', async () => {
  const directory = await tempDir()
  await new PictureFiles(directory).put('a.jpg', content(1))
  const files = new PictureFiles(directory, 1)
  expect(await files.get('a.jpg')).toEqual(content(1))
  await files.put('b.jpg', content(2))
  expect(await readdir(directory)).toEqual(['b.jpg'])
})

test('what somebody has deleted is not there; where nothing can be written, nothing is kept', async () => {
  const directory = join(await tempDir(), 'pictures')
  const files = new PictureFiles(directory)
  await files.put('a.jpg', content(1))
  await rm(directory, { recursive: true })
  expect(await files.get('a.jpg')).toBeUndefined()
  await writeFile(directory, 'a file')
  await expect(files.put('a.jpg', content(1))).rejects.toThrow()
  expect(await files.get('a.jpg')).toBeUndefined()
  await rm(directory)
  await mkdir(directory)
  await files.put('a.jpg', content(1))
  expect(await files.get('a.jpg')).toEqual(content(1))
})
