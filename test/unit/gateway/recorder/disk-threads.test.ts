import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'
import { Disk } from '../../../../gateway/recorder/disk.ts'
import { tempDir } from '../../../support/temp-dir.ts'

/** A disk whose thread dies with the file that is called after it. */
async function dyingLayer(): Promise<string> {
  const path = join(await tempDir(), 'dying.mjs')
  const module = new URL('../../../../gateway/recorder/file-layer.ts', import.meta.url).href
  await writeFile(
    path,
    `import { fileLayer as real } from ${JSON.stringify(module)}
     export const fileLayer = { ...real, openSync: (path, flags) => {
       if (path.includes('dies')) process.exit(1)
       return real.openSync(path, flags)
     } }`,
  )
  return pathToFileURL(path).href
}

const content = () => [Buffer.from('head')]

test('a thread that has crashed takes no more files, and does not keep the others from ending', async () => {
  const directory = join(await tempDir(), 'recordings')
  const claim = { expected: undefined, fresh: 'identity-0001', known: [] }
  const disk = new Disk({ directory, fileLayer: await dyingLayer() }, async (it) => void (await it.claim(claim)))
  for (let file = 0; file < 4; file += 1) await disk.create(`porch.door/2026-01-01/0000${file}-live`, content())
  await expect(disk.create('porch.door/2026-01-01/dies-live', content())).rejects.toMatchObject({ code: 'disk_failed' })
  for (let file = 4; file < 8; file += 1) await disk.create(`porch.door/2026-01-01/0000${file}-live`, content())
  const dying = disk.create('porch.door/2026-01-01/dies-again-live', content()).catch((error: unknown) => error)
  await disk.close()
  expect(await dying).toMatchObject({ code: 'disk_failed' })
  // the directory is free for the next gateway
  await using next = new Disk(
    { directory },
    async (it) => void (await it.claim({ ...claim, expected: 'identity-0001' })),
  )
  await next.ready()
})
