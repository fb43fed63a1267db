import { Spans } from '../spans.ts'
import type { FileFacts, RetentionFacts } from './facts.ts'
import {
  type CameraHoldings,
  cheapestFirst,
  type Holding,
  holdingsOf,
  keptFor,
  mayGo,
  oldestFirst,
  Tally,
} from './holdings.ts'
import { type FootageClass, footageClasses, type RetentionLimits } from './limits.ts'
import { headroomOf, type Room, roomOnDisk, roomWithin, toFree, toRegain, worse } from './room.ts'

/** For which limit a file goes: its age, the bytes of its class, of its camera, of all cameras, or the disk's reserve. */
export type RemovalReason = 'age' | 'class' | 'camera' | 'all' | 'reserve'

export interface Removal {
  file: FileFacts
  class: FootageClass
  reason: RemovalReason
}

export interface RetentionPlan {
  /** Files to delete, in this order. */
  removals: Removal[]
  /** Ids of events that are over for longer than they are kept and of which no footage is left. */
  expired: string[]
  /** Bytes that may be written afterwards before it is time to plan again: by a camera, and by all of them. */
  headroom: { all: number; cameras: Map<string, number> }
  /** Whether protected footage leaves room to record: in all, and for a camera. */
  room: { all: Room; cameras: Map<string, Room> }
  /** Bytes of the reserve that deleting recordings does not bring. */
  shortBytes: number
}

/**
 * Decides what of the recordings goes. A file goes only when none of the events that share it needs it any longer, or for
 * want of bytes: then the oldest of the cheapest class first. What a protected event needs never goes, nor what is still
 * being written. The same facts give the same plan.
 */
export function planRetention(facts: RetentionFacts, limits: RetentionLimits): RetentionPlan {
  const cameras = holdingsOf(facts, limits)
  const all = [...cameras.values()].flatMap(({ holdings }) => holdings).sort(oldestFirst)
  const tally = new Tally()
  for (const holding of all) tally.count(holding, 1)
  const removals: Removal[] = []
  let freeBytes = facts.disk?.freeBytes ?? Number.POSITIVE_INFINITY
  const reserve = facts.disk ? limits.reserve(facts.disk.totalBytes) : 0

  const remove = (holding: Holding, reason: RemovalReason) => {
    holding.gone = true
    cameras.get(holding.file.camera)!.tally.count(holding, -1)
    tally.count(holding, -1)
    freeBytes += holding.file.bytes
    removals.push({ file: holding.file, class: holding.class, reason })
  }
  const free = (bytes: number, from: Iterable<Holding>, reason: RemovalReason) => {
    let left = bytes
    if (left <= 0) return
    for (const holding of from) {
      remove(holding, reason)
      left -= holding.file.bytes
      if (left <= 0) return
    }
  }

  for (const { holdings, limits: of, tally: ofCamera } of cameras.values()) {
    for (const holding of holdings) {
      if (mayGo(holding) && facts.now - holding.recordedAt > keptFor(holding, of)) remove(holding, 'age')
    }
    for (const one of footageClasses) {
      free(toFree(ofCamera.classBytes[one], of.classBytes[one]), cheapestFirst(holdings, [one]), 'class')
    }
    free(toFree(ofCamera.bytes, of.bytes), cheapestFirst(holdings), 'camera')
  }
  free(toFree(tally.bytes, limits.bytes), cheapestFirst(all), 'all')
  free(toRegain(freeBytes, reserve), cheapestFirst(all), 'reserve')

  const perCamera = <T>(of: (camera: CameraHoldings) => T) =>
    new Map([...cameras].map(([id, camera]) => [id, of(camera)] as const))
  const { protectedBytes } = tally
  return {
    removals,
    expired: expiredOf(facts, cameras, limits),
    headroom: {
      all: Math.min(headroomOf(tally.bytes, limits.bytes), freeBytes - reserve),
      cameras: perCamera(({ limits: of, tally: { bytes, classBytes } }) =>
        Math.min(
          headroomOf(bytes, of.bytes),
          ...footageClasses.map((one) => headroomOf(classBytes[one], of.classBytes[one])),
        ),
      ),
    },
    room: {
      all: worse(roomWithin(protectedBytes, limits.bytes), roomOnDisk(protectedBytes, freeBytes, reserve)),
      cameras: perCamera(({ limits: of, tally: ofCamera }) => roomWithin(ofCamera.protectedBytes, of.bytes)),
    },
    shortBytes: Math.max(0, reserve - freeBytes),
  }
}

/** Events go after their footage: until then people find it by them. */
function expiredOf(
  { events, now }: RetentionFacts,
  cameras: ReadonlyMap<string, CameraHoldings>,
  limits: RetentionLimits,
): string[] {
  const left = new Map<string, Spans>()
  const leftOf = (camera: string) => {
    const known = left.get(camera)
    if (known) return known
    const files = cameras.get(camera)?.holdings.filter(({ gone }) => !gone) ?? []
    const spans = new Spans(0)
    for (const { file } of files.toSorted((a, b) => a.file.startMs - b.file.startMs))
      spans.add(file.startMs, file.endMs)
    left.set(camera, spans)
    return spans
  }
  return events
    .filter((event) => {
      if (event.protected || event.toMs === null) return false
      if (now - event.toMs <= limits.camera(event.camera).keepMs[event.kind]) return false
      return !leftOf(event.camera).meets(event.fromMs, event.toMs)
    })
    .map(({ id }) => id)
}
