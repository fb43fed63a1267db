import { PorchlightError } from '@porchlight/proto/errors.ts'

/**
 * Takes a command's own flags out of the command line; what is left is configuration.
 * @param valued flags with a value (`--key x`, `--key=x`); given twice, both count
 * @param switches flags without one
 * @throws PorchlightError `request_invalid` where a value is missing
 */
export function takeFlags(
  argv: readonly string[],
  valued: readonly string[],
  switches: readonly string[],
): { values: Map<string, string[]>; on: Set<string>; rest: string[] } {
  const values = new Map<string, string[]>()
  const on = new Set<string>()
  const rest: string[] = []
  for (let index = 0; index < argv.length; index++) {
    const word = argv[index]!
    const [flag = '', inline] = word.startsWith('--') ? splitOnce(word.slice(2)) : []
    if (switches.includes(flag) && inline === undefined) {
      on.add(flag)
    } else if (valued.includes(flag)) {
      const value = inline ?? argv[++index]
      if (value === undefined) throw new PorchlightError('request_invalid', `--${flag}: a value is missing`)
      values.set(flag, [...(values.get(flag) ?? []), value])
    } else {
      rest.push(word)
    }
  }
  return { values, on, rest }
}

function splitOnce(text: string): [string, string | undefined] {
  const equals = text.indexOf('=')
  return equals < 0 ? [text, undefined] : [text.slice(0, equals), text.slice(equals + 1)]
}
