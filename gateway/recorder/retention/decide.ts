import { Worker } from 'node:worker_threads'
import { PorchlightError } from '@porchlight/proto/errors.ts'
import type { Kysely } from 'kysely'
import type { Schema } from '../../store/schema.ts'
import { readStrangersUntil } from '../claim.ts'
import type { DecisionAnswer, DecisionOrder } from './decision-protocol.ts'
import type { DiskSpace } from './facts.ts'
import type { FootageClass, RetentionLimits, RetentionSettings } from './limits.ts'
import { planRetention, type Removal, type RemovalReason, type RetentionPlan } from './plan.ts'
import { readEvents, readFiles } from './read-facts.ts'

/** Files that one round deletes at most, and events it forgets; what is left is for the next. */
const mostFiles = 5_000
const mostEvents = 2_000

/** Files of one class that go for one reason. */
export interface RemovalGroup {
  class: FootageClass
  reason: RemovalReason
  files: number
  bytes: number
}

/** What one round has to do. */
export interface Decision extends Pick<RetentionPlan, 'headroom' | 'room' | 'shortBytes'> {
  removals: Removal[]
  /** Ids of events to forget. */
  expired: string[]
  /** All that is to go, in this round and the next. */
  groups: RemovalGroup[]
  /** Events to forget, likewise. */
  events: number
  /** There is more to do than one round does. */
  more: boolean
}

export interface DecisionQuestion {
  disk: DiskSpace
  /** ms since the Unix epoch */
  now: number
}

/** Looks through the index and decides what goes. @throws PorchlightError `index_failed`, `index_newer` */
export type Decide = (question: DecisionQuestion, signal?: AbortSignal) => Promise<Decision>

/** In this thread: a month of twenty cameras takes a second. */
export function decideHere(db: Kysely<Schema>, limits: RetentionLimits): Decide {
  return async ({ disk, now }) => {
    const strangersUntil = await readStrangersUntil(db)
    const recorded = { files: await readFiles(db), events: await readEvents(db), strangersUntil }
    const plan = planRetention({ ...recorded, disk, now }, limits)
    const { removals, expired, headroom, room, shortBytes } = plan
    return {
      removals: removals.slice(0, mostFiles),
      expired: expired.slice(0, mostEvents),
      groups: grouped(removals),
      events: expired.length,
      more: removals.length > mostFiles || expired.length > mostEvents,
      ...{ headroom, room, shortBytes },
    }
  }
}

/** In a thread of its own, with its own connection to the index: no packet waits for it. */
export function decideInThread(indexPath: string, settings: RetentionSettings): Decide {
  return async (question, signal) => {
    const order: DecisionOrder = { indexPath, settings, question }
    const worker = new Worker(new URL('./decision-worker.ts', import.meta.url), {
      workerData: order,
      name: 'porchlight-retention',
    })
    const { promise, resolve, reject } = Promise.withResolvers<Decision>()
    const ended = () => reject(new PorchlightError('index_failed', 'the look through the index was ended'))
    worker.on('message', (answer: DecisionAnswer) => {
      if (answer.ok) resolve(answer.decision)
      else reject(new PorchlightError(answer.code, answer.detail))
    })
    worker.on('error', (cause) => reject(new PorchlightError('index_failed', String(cause), { cause })))
    worker.on('exit', ended)
    signal?.addEventListener('abort', ended, { once: true })
    try {
      return await promise
    } finally {
      signal?.removeEventListener('abort', ended)
      await worker.terminate()
    }
  }
}

/** Counts what goes, by class and reason. */
export function grouped(removals: readonly Removal[]): RemovalGroup[] {
  const groups = new Map<string, RemovalGroup>()
  for (const { class: footageClass, reason, file } of removals) {
    const key = `${footageClass} ${reason}`
    const group = groups.get(key) ?? { class: footageClass, reason, files: 0, bytes: 0 }
    group.files += 1
    group.bytes += file.bytes
    groups.set(key, group)
  }
  return [...groups.values()]
}
