import type { ErrorCode } from '@porchlight/proto/errors.ts'
import type { Decision, DecisionQuestion } from './decide.ts'
import type { RetentionSettings } from './limits.ts'

/** `workerData` of the thread that decides. */
export interface DecisionOrder {
  indexPath: string
  settings: RetentionSettings
  question: DecisionQuestion
}

export type DecisionAnswer = { ok: true; decision: Decision } | { ok: false; code: ErrorCode; detail: string }
