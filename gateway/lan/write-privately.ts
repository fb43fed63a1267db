import { open, rename } from 'node:fs/promises'

/** Writes a file that only its owner may read, whole or not at all: a power cut leaves the old one. */
export async function writePrivately(path: string, text: string): Promise<void> {
  const draft = `${path}.new`
  const file = await open(draft, 'w', 0o600)
  try {
    // The mode of open() does not change that of a draft left by a crash.
    await file.chmod(0o600)
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(draft, path)
}
