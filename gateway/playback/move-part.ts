import { patchFragment, readFragment } from '@porchlight/proto/media/fmp4/fragment.ts'
import { readInit, videoTrack } from '@porchlight/proto/media/fmp4/init-segment.ts'
import { patchClusters, readClusters } from '@porchlight/proto/media/webm/cluster.ts'
import { isWebm } from '@porchlight/proto/media/webm/header.ts'

export interface PartMove {
  /** What the part's file begins with. */
  init: Uint8Array
  shiftMs: number
  /** Number of the fragment. */
  sequence: number
  /** False takes the sound out. */
  withAudio: boolean
}

/** Moves a part to another timeline, where it stands; its size stays. @returns false where the part is damaged */
export function movePart(bytes: Uint8Array, { init, shiftMs, sequence, withAudio }: PartMove): boolean {
  const keeps = (track: number) => track === videoTrack || withAudio
  if (isWebm(init)) {
    const clusters = readClusters(bytes)
    if (clusters) patchClusters(bytes, clusters, Math.round(shiftMs), keeps)
    return clusters !== undefined
  }
  const timescales = readInit(init)?.timescales
  const fragment = readFragment(bytes)
  if (timescales === undefined || fragment === undefined) return false
  patchFragment(bytes, fragment, sequence, (track) =>
    keeps(track) ? Math.round((shiftMs * (timescales.get(track) ?? 0)) / 1_000) : undefined,
  )
  return true
}
