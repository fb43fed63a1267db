/**
 * Whether recordings are complete: each access unit that the camera sent during an event, its pre-roll and its post-roll, by
 * hash, against what is on the gateway's disk. The way between agent and gateway loses UDP datagrams each way and is as slow
 * for TCP as such losses make it, or breaks; the gateway is killed; the agent is restarted.
 * `--case 0,2,5,10,outage,kills,restart`, `--seconds N` of the event (60), `--seed N`, `--verbose`.
 */
import { parseArgs } from 'node:util'
import { completeCases, recordThrough, type Through } from './complete/record-through.ts'

export interface Result {
  complete_ratio: Record<string, number>
  /** Bytes delivered beside the live picture, pre-roll apart, by bytes that had not come live. */
  extra_bytes_ratio: Record<string, number | null>
}

export async function run(args: readonly string[]): Promise<Result> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      case: { type: 'string', default: completeCases.join(',') },
      seconds: { type: 'string', default: '60' },
      seed: { type: 'string', default: '1' },
      verbose: { type: 'boolean', default: false },
    },
  })
  const log = values.verbose ? (line: string) => void process.stderr.write(`${line}\n`) : () => undefined
  const result: Result = { complete_ratio: {}, extra_bytes_ratio: {} }
  for (const name of values.case.split(',')) {
    const wanted = completeCases.find((one) => one === name)
    if (wanted === undefined) throw new Error(`Which case? ${completeCases.join(', ')}`)
    const seen = await recordThrough(wanted, { seconds: Number(values.seconds), seed: Number(values.seed), log })
    result.complete_ratio[wanted] = seen.completeRatio
    result.extra_bytes_ratio[wanted] = seen.extraBytesRatio
    tell(wanted, seen)
  }
  return result
}

function tell(name: string, seen: Through): void {
  const { wanted, missing, extraBytesRatio, lostBytes, sentBytes } = seen
  const extra =
    extraBytesRatio === null ? 'everything came live' : `${sentBytes} bytes for ${lostBytes} that had not come`
  process.stdout.write(`${name}  ${wanted - missing} of ${wanted} pictures  ${extra}\n`)
}
