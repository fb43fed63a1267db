import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/** The first of several programs that can be run: by an environment variable, else by name on PATH (and /usr/sbin). */
export function findProgram(variable: string, ...names: string[]): string {
  const given = process.env[variable]
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin']
  const candidates = given ? [given] : names.flatMap((name) => folders.map((folder) => join(folder, name)))
  const found = candidates.find((path) => {
    try {
      accessSync(path, constants.X_OK)
      return true
    } catch (error) {
      if (['ENOENT', 'EACCES', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return false
      throw error
    }
  })
  if (found === undefined) {
    throw new Error(
      `${names[0]} is not here: install it (\`node setup.mjs --test\` tells how, of what tests need), or set ${variable}`,
    )
  }
  return found
}
