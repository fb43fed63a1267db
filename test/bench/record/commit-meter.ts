import { DatabaseSync, StatementSync } from 'node:sqlite'

interface Owner {
  database: DatabaseSync
  total: StatementSync
  /** Rows changed when it was last looked at. */
  seen: unknown
}

/** Calls back after each statement of node:sqlite that made changes durable. Statements run by `exec` are not seen. */
export function meterCommits(committed: () => void): void {
  const { prepare } = DatabaseSync.prototype
  const owners = new WeakMap<DatabaseSync, Owner>()
  const ownerOf = new WeakMap<StatementSync, Owner>()

  const look = (owner: Owner) => {
    const seen = owner.total.get()?.n
    const changed = seen !== owner.seen
    owner.seen = seen
    return changed
  }
  DatabaseSync.prototype.prepare = function (this: DatabaseSync, ...values: Parameters<typeof prepare>) {
    let owner = owners.get(this)
    if (owner === undefined) {
      owner = { database: this, total: prepare.call(this, 'select total_changes() as n'), seen: 0 }
      owners.set(this, owner)
    }
    const statement = prepare.apply(this, values)
    ownerOf.set(statement, owner)
    return statement
  }
  for (const name of ['run', 'all'] as const) {
    const call = StatementSync.prototype[name] as (...values: never[]) => never
    StatementSync.prototype[name] = function (this: StatementSync, ...values: never[]): never {
      const result = call.apply(this, values)
      const owner = ownerOf.get(this)
      if (owner && !owner.database.isTransaction && look(owner)) committed()
      return result
    }
  }
}
