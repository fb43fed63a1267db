import type { Kysely } from 'kysely'
import { onTestFinished } from 'vitest'
import { openStore } from '../../gateway/store/open-store.ts'
import type { Schema } from '../../gateway/store/schema.ts'
import { quietLog } from './quiet-log.ts'

/** An index in memory of this test's own, closed when the test is over. */
export async function memoryIndex(): Promise<Kysely<Schema>> {
  const store = await openStore(':memory:', quietLog)
  onTestFinished(() => store.close())
  return store.db
}
