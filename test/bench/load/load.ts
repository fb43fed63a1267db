import { startNode } from '../../support/child.ts'
import { within } from '../../support/within.ts'
import type { JanusTarget } from './janus-viewer.ts'
import type { Counts } from './receiver.ts'

/** What viewers watch. */
export type LoadTarget =
  | { kind: 'whep'; whep: string; headers: Record<string, string> }
  | ({ kind: 'janus' } & JanusTarget)

export interface LoadCounts extends Counts {
  /** Viewers that have received anything. */
  served: number
}

export interface Load extends AsyncDisposable {
  /** So many more watch. Resolves when each has its answer. */
  join(count: number): Promise<LoadCounts>
  counts(): Promise<LoadCounts>
}

/** Longest wait for an answer: viewers join one after the other, ms. */
const answerMs = 60_000

/** Viewers in a process of their own. */
export function startLoad(target: LoadTarget): Load {
  const child = startNode(new URL('main.ts', import.meta.url), { args: [JSON.stringify(target)] })
  let request = 0
  const ask = (count: number) => {
    const number = request++
    child.say(String(count))
    const answer = child.json<LoadCounts & Record<string, unknown>>((line) => line.request === number)
    return within(`${count} more viewers`, answerMs, answer)
  }
  return {
    join: ask,
    counts: () => ask(0),
    [Symbol.asyncDispose]: async () => {
      child.process.stdin?.end()
      await child.stop()
    },
  }
}
