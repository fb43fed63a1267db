import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { PorchlightError } from '@porchlight/proto/errors.ts'
import { Kysely } from 'kysely'
import type { Logger } from 'pino'
import { migrate } from './migrations.ts'
import type { Schema } from './schema.ts'
import { workerDialect } from './sqlite-dialect.ts'
import { StoreWorker } from './worker-client.ts'

export interface Store extends AsyncDisposable {
  readonly db: Kysely<Schema>
  /** Idempotent. */
  close(): Promise<void>
}

/** How long a query waits while another program (the command line) writes, in ms. */
const busyTimeoutMs = 5_000

/**
 * Opens the index, makes it where there is none, and brings it to the newest schema.
 * @param path file name, or `:memory:`
 * @throws PorchlightError `index_failed`, or `index_newer` where a newer Porchlight has written it
 */
export async function openStore(path: string, log: Pick<Logger, 'debug'>): Promise<Store> {
  if (path !== ':memory:') await makeDirectory(dirname(path))
  const worker = await StoreWorker.open({ path, busyTimeoutMs })
  const db = new Kysely<Schema>({ dialect: workerDialect(worker) })
  const close = async () => {
    await db.destroy()
    await worker.close()
  }
  try {
    await migrate(db as unknown as Kysely<unknown>)
  } catch (error) {
    await close()
    throw error
  }
  log.debug({ path }, 'index opened')
  return { db, close, [Symbol.asyncDispose]: close }
}

async function makeDirectory(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true })
  } catch (cause) {
    throw new PorchlightError('index_failed', cause instanceof Error ? cause.message : path, { cause })
  }
}
