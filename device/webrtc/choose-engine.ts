import { PorchlightError } from '@porchlight/proto/errors.ts'
import type { Logger } from 'pino'
import type { EngineName } from '../config.ts'
import type { Engine } from './engine.ts'

/** Loads a library with its engine: nobody pays for the one that is not used. */
export type LoadEngine = (log: Logger) => Promise<Engine>

const libraries: Readonly<Record<Exclude<EngineName, 'auto'>, LoadEngine>> = {
  'node-datachannel': async (log) => (await import('./node-datachannel.ts')).nodeDataChannelEngine(log),
  werift: async (log) => (await import('./werift/engine.ts')).weriftEngine(log),
}

/**
 * The engine that was asked for; with `auto` node-datachannel, or werift where its native binary does not load.
 * @throws PorchlightError `engine_unavailable` where the binary was asked for by name
 */
export async function chooseEngine(wanted: EngineName, log: Logger, load = libraries): Promise<Engine> {
  if (wanted === 'werift') return load.werift(log)
  try {
    return await load['node-datachannel'](log)
  } catch (error) {
    if (wanted === 'node-datachannel') {
      throw new PorchlightError('engine_unavailable', error instanceof Error ? error.message : String(error))
    }
    log.warn({ err: error }, 'node-datachannel does not load here: werift serves in its place')
    return load.werift(log)
  }
}
