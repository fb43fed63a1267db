import type { EventKind } from '@porchlight/proto/messages/event.ts'

/** What happens at a camera. `at` is device clock, ms since the Unix epoch. */
export type EventInput =
  | { type: 'ring'; at: number }
  | { type: 'motion-begin' | 'motion-active' | 'motion-end'; at: number }
  /** The detector is gone: nobody will tell the end. */
  | { type: 'motion-lost'; at: number }
  /** Time goes on; wanted at `nextTick`. */
  | { type: 'tick'; at: number }

/** What is to be told. */
export interface EventOutput {
  kind: EventKind
  phase: 'begin' | 'active' | 'end'
  at: number
}

export interface OpenEvent {
  beganAt: number
  /** Last sign of it. */
  seenAt: number
  /** Last time it was told. */
  toldAt: number
}

/** The open events of one camera: at most one of each kind, and neither knows of the other. */
export interface EventState {
  ring: OpenEvent | undefined
  motion: OpenEvent | undefined
}

export interface EventLimits {
  /** Life of a ring after the last press, ms. */
  ringHoldMs: number
  /** Signs of life are told this often, ms. */
  activeEveryMs: number
  /** Motion without a sign for so long has ended, whatever the detector says, ms (detectors that never send their end). */
  motionQuietMs: number
}

export const noEvents: EventState = { ring: undefined, motion: undefined }

export const defaultActiveEveryMs = 3_000

/** Facts → decision: what a happening makes of the open events, and what is to be told. */
export function decide(
  state: EventState,
  input: EventInput,
  limits: EventLimits,
): { state: EventState; tell: EventOutput[] } {
  switch (input.type) {
    case 'ring':
      return with1(state, 'ring', sign(state.ring, 'ring', input.at, limits))
    case 'motion-begin':
    case 'motion-active':
      // A detector's begin may have been lost with the detector: any sign begins.
      return with1(state, 'motion', sign(state.motion, 'motion', input.at, limits))
    case 'motion-end':
    case 'motion-lost':
      return with1(state, 'motion', end(state.motion, 'motion', input.at))
    case 'tick': {
      const ring = tick(state.ring, 'ring', input.at, limits.ringHoldMs, limits)
      const motion = tick(state.motion, 'motion', input.at, limits.motionQuietMs, limits)
      return { state: { ring: ring.event, motion: motion.event }, tell: [...ring.tell, ...motion.tell] }
    }
  }
}

/** When `tick` is wanted next, ms since the Unix epoch; undefined while nothing is open. */
export function nextTick(state: EventState, limits: EventLimits): number | undefined {
  const of = (event: OpenEvent | undefined, holdMs: number) =>
    event === undefined ? [] : [Math.min(event.seenAt + holdMs, event.toldAt + limits.activeEveryMs)]
  const times = [...of(state.ring, limits.ringHoldMs), ...of(state.motion, limits.motionQuietMs)]
  return times.length === 0 ? undefined : Math.min(...times)
}

interface Step {
  event: OpenEvent | undefined
  tell: EventOutput[]
}

function with1(state: EventState, kind: EventKind, step: Step): { state: EventState; tell: EventOutput[] } {
  return { state: { ...state, [kind]: step.event }, tell: step.tell }
}

function sign(event: OpenEvent | undefined, kind: EventKind, at: number, limits: EventLimits): Step {
  if (event === undefined) {
    return { event: { beganAt: at, seenAt: at, toldAt: at }, tell: [{ kind, phase: 'begin', at }] }
  }
  const seenAt = Math.max(event.seenAt, at)
  if (at - event.toldAt < limits.activeEveryMs) return { event: { ...event, seenAt }, tell: [] }
  return { event: { ...event, seenAt, toldAt: at }, tell: [{ kind, phase: 'active', at }] }
}

function end(event: OpenEvent | undefined, kind: EventKind, at: number): Step {
  if (event === undefined) return { event, tell: [] }
  return { event: undefined, tell: [{ kind, phase: 'end', at: Math.max(at, event.beganAt) }] }
}

function tick(event: OpenEvent | undefined, kind: EventKind, at: number, holdMs: number, limits: EventLimits): Step {
  if (event === undefined) return { event, tell: [] }
  if (at - event.seenAt >= holdMs) return end(event, kind, event.seenAt + holdMs)
  if (at - event.toldAt < limits.activeEveryMs) return { event, tell: [] }
  return { event: { ...event, toldAt: at }, tell: [{ kind, phase: 'active', at }] }
}
