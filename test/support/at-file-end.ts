import { afterAll } from 'vitest'
import type { AtEnd } from './child.ts'

/** For what all tests of a file share: it is undone after the last of them, the newest first. To be called outside of tests. */
export function atFileEnd(): AtEnd {
  const cleanUps: (() => Promise<void>)[] = []
  afterAll(async () => {
    for (const cleanUp of cleanUps) await cleanUp()
  })
  return (cleanUp) => cleanUps.unshift(cleanUp)
}
