import { parentPort, workerData } from 'node:worker_threads'
import { asPorchlightError } from '@porchlight/proto/errors.ts'
import { openStore } from '../../store/open-store.ts'
import { decideHere } from './decide.ts'
import type { DecisionAnswer, DecisionOrder } from './decision-protocol.ts'
import { retentionLimits } from './limits.ts'

/** The thread that looks through the whole index, once. */

if (parentPort === null) throw new Error('this file is a worker')
const port = parentPort
const { indexPath, settings, question } = workerData as DecisionOrder

async function decided(): Promise<DecisionAnswer> {
  try {
    await using store = await openStore(indexPath, { debug: () => undefined })
    return { ok: true, decision: await decideHere(store.db, retentionLimits(settings))(question) }
  } catch (thrown) {
    const { code, message, detail = message } = asPorchlightError(thrown, 'index_failed')
    return { ok: false, code, detail }
  }
}

port.postMessage(await decided())
