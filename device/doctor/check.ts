import { asPorchlightError, errors } from '@porchlight/proto/errors.ts'

/** What one examination found. */
export interface Finding {
  ok: boolean
  /** What was found, in a few words. */
  text: string
  /** What to do about it, where it is not ok. */
  advice?: string
}

/** One examination. It has its own deadlines; what it throws becomes a finding. */
export interface Check {
  name: string
  run(): Promise<Finding | Finding[]>
}

export const good = (text: string): Finding => ({ ok: true, text })
export const bad = (text: string, advice: string): Finding => ({ ok: false, text, advice })

/** Turns what was thrown into a finding: the registry's sentence is the advice. */
export function findingOf(thrown: unknown): Finding {
  const error = asPorchlightError(thrown)
  return bad(error.detail === undefined ? error.code : `${error.code}: ${error.detail}`, errors[error.code].sentence)
}

export function formatFinding(name: string, finding: Finding): string {
  const line = `${finding.ok ? '✓' : '✗'} ${name}: ${finding.text}`
  return finding.ok || finding.advice === undefined ? line : `${line}\n  → ${finding.advice}`
}

/** Runs the checks one after the other, a line each as it is known. @returns whether all is well */
export async function runChecks(checks: readonly Check[], say: (line: string) => void): Promise<boolean> {
  let well = true
  for (const check of checks) {
    let findings: Finding[]
    try {
      findings = [await check.run()].flat()
    } catch (error) {
      findings = [findingOf(error)]
    }
    for (const finding of findings) {
      say(formatFinding(check.name, finding))
      well &&= finding.ok
    }
  }
  return well
}
