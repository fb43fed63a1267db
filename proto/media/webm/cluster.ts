import { concatBytes } from '../bytes.ts'
import { child, element, elementAt, id, readUint, sizeOf, uint64, walk } from './ebml.ts'

/** A picture or a packet of sound. */
export interface Block {
  track: number
  /** Whole ms, not negative. */
  timeMs: number
  keyframe: boolean
  /** False where nothing depends on it. */
  reference: boolean
  data: readonly Uint8Array[]
}

/** Times of blocks count from their cluster's in 16 bits (RFC 9559 §10.2), ms. */
const longestClusterMs = 32_767
const keyframeFlag = 0x80
const discardableFlag = 0x01
/** Track, time and flags ahead of the data. */
const blockHeadBytes = 4
const timestampBytes = 8

/** One cluster of these blocks, in the order of their times; more than one only where their times lie too far apart. */
export function writeClusters(blocks: readonly Block[]): Uint8Array {
  const pieces: Uint8Array[] = []
  let open: Block[] = []
  const close = () => {
    if (open.length > 0) pieces.push(...cluster(open))
    open = []
  }
  for (const block of blocks.toSorted((a, b) => a.timeMs - b.timeMs)) {
    if (open.length > 0 && block.timeMs - open[0]!.timeMs > longestClusterMs) close()
    open.push(block)
  }
  close()
  return concatBytes(pieces)
}

/** @param blocks in the order of their times, at least one */
function cluster(blocks: readonly Block[]): Uint8Array[] {
  const baseMs = blocks[0]!.timeMs
  const content = blocks.flatMap(({ track, timeMs, keyframe, reference, data }) => {
    const time = timeMs - baseMs
    const flags = (keyframe ? keyframeFlag : 0) | (reference ? 0 : discardableFlag)
    return element(id.simpleBlock, [Uint8Array.of(0x80 | track, time >> 8, time & 0xff, flags), ...data])
  })
  return element(id.cluster, [...element(id.timestamp, [uint64(baseMs)]), ...content])
}

/** A block as it stands in clusters that were read. */
export interface PlacedBlock {
  track: number
  timeMs: number
  keyframe: boolean
  /** First byte of the element. */
  start: number
  /** First byte of its data, and the first after them. */
  at: number
  end: number
}

export interface ReadCluster {
  timeMs: number
  /** Where the 8 bytes of the time stand. */
  timeAt: number
  blocks: PlacedBlock[]
}

/**
 * Reads clusters as {@link writeClusters} makes them. Never throws.
 * @param bytes nothing but clusters
 * @returns undefined where they are cut off or not of our making
 */
export function readClusters(bytes: Uint8Array): ReadCluster[] | undefined {
  const clusters: ReadCluster[] = []
  for (let at = 0; at < bytes.byteLength; ) {
    const place = elementAt(bytes, at)
    const time = place?.id === id.cluster ? child(bytes, id.timestamp, place) : undefined
    if (place === undefined || time === undefined || time.end - time.body !== timestampBytes) return undefined
    const timeMs = readUint(bytes.subarray(time.body, time.end))
    const blocks: PlacedBlock[] = []
    let next = time.end
    for (const { id: kind, start, body, end } of walk(bytes, time.end, place.end)) {
      next = end
      if (kind !== id.simpleBlock) continue
      if (end - body < blockHeadBytes) return undefined
      const [track = 0, high = 0, low = 0, flags = 0] = bytes.subarray(body, body + blockHeadBytes)
      const keyframe = (flags & keyframeFlag) !== 0
      const blockMs = timeMs + ((high << 8) | low)
      blocks.push({ track: track & 0x7f, timeMs: blockMs, keyframe, start, at: body + blockHeadBytes, end })
    }
    if (next !== place.end) return undefined
    clusters.push({ timeMs, timeAt: time.body, blocks })
    at = place.end
  }
  return clusters.length > 0 ? clusters : undefined
}

/**
 * Changes clusters where they stand; their size stays.
 * @param shiftMs by how much they move; not before 0
 * @param keeps whether a track stays; the blocks of others become `Void`
 */
export function patchClusters(
  bytes: Uint8Array,
  clusters: readonly ReadCluster[],
  shiftMs: number,
  keeps: (track: number) => boolean,
): void {
  for (const { timeMs, timeAt, blocks } of clusters) {
    bytes.set(uint64(Math.max(0, timeMs + shiftMs)), timeAt)
    for (const { track, start } of blocks) if (!keeps(track)) bytes[start] = id.void
  }
}

/** What an index says of a place to begin to play at. */
export interface Cue {
  /** ms */
  timeMs: number
  /** Bytes from the first cluster to this one. */
  at: number
}

/**
 * `Cues` (RFC 9559 §22): where players find the time they look for, without reading everything. They stand between header
 * and clusters.
 * @param headBytes bytes of the segment ahead of the cues
 */
export function writeCues(track: number, cues: readonly Cue[], headBytes: number): Uint8Array {
  const points = (firstCluster: number) =>
    element(
      id.cues,
      cues.flatMap(({ timeMs, at }) =>
        element(id.cuePoint, [
          ...element(id.cueTime, [uint64(timeMs)]),
          ...element(id.cueTrackPositions, [
            ...element(id.cueTrack, [Uint8Array.of(track)]),
            ...element(id.cueClusterPosition, [uint64(firstCluster + at)]),
          ]),
        ]),
      ),
    )
  return concatBytes(points(headBytes + sizeOf(points(0))))
}
