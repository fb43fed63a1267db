import { type FileFacts, type Need, type RetentionFacts, recordedAt } from './facts.ts'
import { type CameraLimits, type FootageClass, footageClasses, type RetentionLimits } from './limits.ts'
import { Needs } from './needs.ts'

/** A file and all that it is needed for. */
export interface Holding {
  file: FileFacts
  /** ms since the Unix epoch */
  recordedAt: number
  need: Need
  /** The dearest class that needs it. */
  class: FootageClass
  /** It was decided that it goes. */
  gone: boolean
}

/** Bytes of some holdings. */
export class Tally {
  bytes = 0
  protectedBytes = 0
  /** Protected footage aside. */
  readonly classBytes: Record<FootageClass, number> = { continuous: 0, motion: 0, ring: 0 }

  count({ file, need, class: footageClass }: Holding, sign: 1 | -1): void {
    this.bytes += sign * file.bytes
    if (need.protected) this.protectedBytes += sign * file.bytes
    else this.classBytes[footageClass] += sign * file.bytes
  }
}

/** What there is of one camera. */
export interface CameraHoldings {
  limits: CameraLimits
  /** The oldest first. */
  holdings: Holding[]
  tally: Tally
}

/** Puts files and events together, camera by camera. */
export function holdingsOf(facts: RetentionFacts, limits: RetentionLimits): Map<string, CameraHoldings> {
  const events = Map.groupBy(facts.events, ({ camera }) => camera)
  const files = Map.groupBy(facts.files, ({ camera }) => camera)
  const cameras = new Map<string, CameraHoldings>()
  for (const [camera, ofCamera] of files) {
    const needs = new Needs(events.get(camera) ?? [])
    const holdings = ofCamera.map((file) => holdingOf(file, needs, facts.strangersUntil)).toSorted(oldestFirst)
    const tally = new Tally()
    for (const holding of holdings) tally.count(holding, 1)
    cameras.set(camera, { limits: limits.camera(camera), holdings, tally })
  }
  return cameras
}

export function oldestFirst(a: Holding, b: Holding): number {
  return a.recordedAt - b.recordedAt || a.file.id - b.file.id
}

export function mayGo({ gone, need, file }: Holding): boolean {
  return !gone && !need.protected && file.removable
}

/** How long it is kept, ms: as long as the one says that keeps it longest. */
export function keptFor({ need }: Holding, { keepMs }: CameraLimits): number {
  return Math.max(keepMs.continuous, need.motion ? keepMs.motion : 0, need.ring ? keepMs.ring : 0)
}

/** What may have been recorded for anything is kept like a ring, counted from when the index met it. */
function holdingOf(file: FileFacts, needs: Needs, strangersUntil = Number.NEGATIVE_INFINITY): Holding {
  const isStranger = file.createdAt < strangersUntil
  const known = needs.between(file.startMs, file.endMs)
  const need = { ...known, ring: known.ring || isStranger }
  const dearest: FootageClass = need.ring ? 'ring' : need.motion ? 'motion' : 'continuous'
  const at = isStranger ? Math.max(recordedAt(file), strangersUntil) : recordedAt(file)
  return { file, recordedAt: at, need, class: dearest, gone: false }
}

/** The order in which what may go goes for want of bytes. */
export function* cheapestFirst(holdings: readonly Holding[], classes: readonly FootageClass[] = footageClasses) {
  for (const footageClass of classes) {
    for (const holding of holdings) if (holding.class === footageClass && mayGo(holding)) yield holding
  }
}
