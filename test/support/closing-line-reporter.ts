import { writeSync } from 'node:fs'
import type { Reporter, SerializedError, TestModule } from 'vitest/node'

/** What a run came to, in numbers. */
export interface Totals {
  passed: number
  failed: number
  skipped: number
}

/** The line that ends a run. */
export function closingLine({ passed, failed, skipped }: Totals): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`
}

/** Counts tests; a module that could not be loaded and an error outside any test each count as one failure. */
export function countTests(modules: readonly TestModule[], unhandled: readonly SerializedError[]): Totals {
  const totals: Totals = { passed: 0, failed: unhandled.length, skipped: 0 }
  for (const module of modules) {
    totals.failed += module.errors().length
    for (const suite of module.children.allSuites()) totals.failed += suite.errors().length
    for (const test of module.children.allTests()) {
      const { state } = test.result()
      if (state === 'passed') totals.passed += 1
      else if (state === 'failed') totals.failed += 1
      else totals.skipped += 1
    }
  }
  return totals
}

/** A vitest reporter whose only word is the closing line, said when everybody else has spoken. */
export default class ClosingLineReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    const line = closingLine(countTests(modules, unhandled))
    process.once('exit', () => writeSync(1, `${line}\n`))
  }
}
