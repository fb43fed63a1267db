import { PorchlightError } from '@porchlight/proto/errors.ts'
import type { Kysely, RootOperationNode } from 'kysely'
import type { Schema } from '../../gateway/store/schema.ts'

/** An index that does not take what is written of files and parts when it is told so. */
export interface FaultyIndex {
  db: Kysely<Schema>
  /** How many writes there were. */
  writes(): number
  /** Writes number `from` to `to` (inclusive, from 1 on) fail with `index_failed`. */
  fail(from: number, to: number): void
  heal(): void
}

/** @param db what is beneath it, and is well */
export function faultyIndex(db: Kysely<Schema>): FaultyIndex {
  let count = 0
  let failing: [from: number, to: number] = [0, 0]
  const transformQuery = ({ node }: { node: RootOperationNode }) => {
    if (!isWrite(node)) return node
    count += 1
    if (count >= failing[0] && count <= failing[1]) throw new PorchlightError('index_failed', `injected at ${count}`)
    return node
  }
  return {
    db: db.withPlugin({ transformQuery, transformResult: async ({ result }) => result }),
    writes: () => count,
    fail: (from, to) => {
      failing = [from, to]
    },
    heal: () => {
      failing = [0, 0]
    },
  }
}

/** Whether a statement changes what is known of files and parts. */
function isWrite(node: RootOperationNode): boolean {
  if (!['InsertQueryNode', 'UpdateQueryNode', 'DeleteQueryNode'].includes(node.kind)) return false
  return /"name":"(files|parts)"/.test(JSON.stringify(node))
}
