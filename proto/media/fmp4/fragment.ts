import { ascii, type BoxPlace, box, boxAt, child, fullBox, u8, u16, u32, u64, viewOf, walk } from './boxes.ts'

/** One sample of a fragment: a picture or a packet of sound. Times are ticks of its track. */
export interface Sample {
  duration: number
  /** Presentation minus decoding time; may be negative. */
  offset: number
  keyframe: boolean
  /** False where nothing depends on it. */
  reference: boolean
  data: Uint8Array[]
}

export interface TrackFragment {
  track: number
  /** Decoding time of the first sample. */
  baseTime: number
  samples: Sample[]
}

// sample_flags (ISO/IEC 14496-12 §8.8.3.1): sample_depends_on, sample_is_depended_on, sample_is_non_sync_sample
const dependsOnNone = 0x02000000
const dependsOnOthers = 0x01000000
const dependedOn = 0x00400000
const notDependedOn = 0x00800000
const nonSync = 0x00010000

const runHeaderBytes = 20
const sampleBytes = 16

function sampleFlags({ keyframe, reference }: Sample): number {
  return (keyframe ? dependsOnNone : dependsOnOthers | nonSync) | (reference ? dependedOn : notDependedOn)
}

/**
 * One `moof` with its `mdat` (ISO/IEC 14496-12 §8.8): all the samples of the first track, then those of the next. Data
 * offsets count from the `moof` (default-base-is-moof), so the bytes may stand anywhere.
 */
export function writeFragment(sequence: number, tracks: readonly TrackFragment[]): Uint8Array {
  const heads = tracks.map((fragment) => trackFragment(fragment))
  const moofBytes = heads.reduce((sum, head) => sum + head.length, 8 + 16)
  const sizes = tracks.map(({ samples }) => samples.reduce((sum, sample) => sum + sizeOf(sample), 0))
  const dataBytes = sizes.reduce((sum, size) => sum + size, 0)
  const bytes = new Uint8Array(moofBytes + 8 + dataBytes)
  let dataAt = moofBytes + 8
  heads.forEach((head, index) => {
    // data_offset of trun stands after the headers of traf, tfhd (16), tfdt (20), trun, and sample_count
    head.set(u32(dataAt), 8 + 16 + 20 + 16)
    dataAt += sizes[index]!
  })
  bytes.set(box('moof', fullBox('mfhd', 0, 0, u32(sequence)), ...heads))
  bytes.set([...u32(8 + dataBytes), ...ascii('mdat')], moofBytes)
  let at = moofBytes + 8
  for (const { samples } of tracks) {
    for (const { data } of samples) {
      for (const piece of data) {
        bytes.set(piece, at)
        at += piece.length
      }
    }
  }
  return bytes
}

function sizeOf(sample: Sample): number {
  return sample.data.reduce((sum, piece) => sum + piece.length, 0)
}

function trackFragment({ track, baseTime, samples }: TrackFragment): Uint8Array {
  // trun version 1: signed composition offsets; flags: data offset, and duration, size, flags, offset of each sample
  const run = new Uint8Array(runHeaderBytes + samples.length * sampleBytes)
  run.set([...u32(run.length), ...ascii('trun'), ...u8(1, 0, 0x0f, 0x01), ...u32(samples.length)])
  const view = viewOf(run)
  samples.forEach((sample, index) => {
    const at = runHeaderBytes + index * sampleBytes
    view.setUint32(at, sample.duration)
    view.setUint32(at + 4, sizeOf(sample))
    view.setUint32(at + 8, sampleFlags(sample))
    view.setInt32(at + 12, sample.offset)
  })
  // tfhd flags: default-base-is-moof
  return box('traf', fullBox('tfhd', 0, 0x020000, u32(track)), fullBox('tfdt', 1, 0, u64(baseTime)), run)
}

/** A sample as it stands in a fragment that was read; `at` is its first byte, counted from the fragment's. */
export interface PlacedSample {
  at: number
  size: number
  duration: number
  offset: number
  keyframe: boolean
  reference: boolean
}

export interface ReadTrack {
  track: number
  baseTime: number
  /** Where the 8 bytes of the base time stand. */
  baseTimeAt: number
  /** First byte of the `traf` box, and of the `trun` in it. */
  boxAt: number
  runAt: number
  samples: PlacedSample[]
}

export interface ReadFragment {
  sequence: number
  sequenceAt: number
  /** Bytes of `moof` and `mdat` together. */
  bytes: number
  tracks: ReadTrack[]
}

/**
 * Reads a fragment as {@link writeFragment} makes it. Never throws.
 * @param bytes begins with the `moof`; more may follow the `mdat`
 * @returns undefined where it is cut off or not of our making
 */
export function readFragment(bytes: Uint8Array): ReadFragment | undefined {
  const moof = boxAt(bytes, 0)
  const mdat = moof?.type === 'moof' ? boxAt(bytes, moof.end) : undefined
  if (moof === undefined || mdat?.type !== 'mdat') return undefined
  const header = child(bytes, 'mfhd', moof)
  if (header === undefined || header.end < header.body + 8) return undefined
  const tracks: ReadTrack[] = []
  for (const place of walk(bytes, moof.body, moof.end)) {
    if (place.type !== 'traf') continue
    const track = readTrack(bytes, place, mdat)
    if (track === undefined) return undefined
    tracks.push(track)
  }
  const sequenceAt = header.body + 4
  return { sequence: viewOf(bytes).getUint32(sequenceAt), sequenceAt, bytes: mdat.end, tracks }
}

function readTrack(bytes: Uint8Array, place: BoxPlace, mdat: BoxPlace): ReadTrack | undefined {
  const view = viewOf(bytes)
  const head = child(bytes, 'tfhd', place)
  const time = child(bytes, 'tfdt', place)
  const run = child(bytes, 'trun', place)
  if (head === undefined || time === undefined || run === undefined) return undefined
  if (head.end < head.body + 8 || time.end < time.body + 12 || run.end < run.body + 12) return undefined
  if (bytes[time.body] !== 1 || view.getUint32(run.body) !== 0x01000f01) return undefined
  const count = view.getUint32(run.body + 4)
  if (run.body + 12 + count * sampleBytes > run.end) return undefined
  const samples: PlacedSample[] = []
  let at = view.getUint32(run.body + 8)
  if (at < mdat.body) return undefined
  for (let index = 0; index < count; index += 1) {
    const entry = run.body + 12 + index * sampleBytes
    const size = view.getUint32(entry + 4)
    const flags = view.getUint32(entry + 8)
    if (at + size > mdat.end) return undefined
    samples.push({
      at,
      size,
      duration: view.getUint32(entry),
      offset: view.getInt32(entry + 12),
      keyframe: (flags & nonSync) === 0,
      reference: (flags & notDependedOn) === 0,
    })
    at += size
  }
  const baseTimeAt = time.body + 4
  const baseTime = view.getUint32(baseTimeAt) * 2 ** 32 + view.getUint32(baseTimeAt + 4)
  return { track: view.getUint32(head.body + 4), baseTime, baseTimeAt, boxAt: place.start, runAt: run.start, samples }
}

/**
 * Changes a fragment where it stands; its size stays.
 * @param shift by how many ticks a track moves; undefined takes the track out (its box becomes `free`)
 */
export function patchFragment(
  bytes: Uint8Array,
  fragment: ReadFragment,
  sequence: number,
  shift: (track: number) => number | undefined,
): void {
  bytes.set(u32(sequence), fragment.sequenceAt)
  for (const { track, baseTime, baseTimeAt, boxAt: start } of fragment.tracks) {
    const ticks = shift(track)
    if (ticks === undefined) bytes.set(ascii('free'), start + 4)
    else bytes.set(u64(Math.max(0, baseTime + ticks)), baseTimeAt)
  }
}

/**
 * Ends a fragment earlier where it stands; its size stays (what the samples had in their `trun` becomes `free`).
 * @param until ticks of a track, in its own time: what is decoded from then on goes. A track of which nothing is left is
 *   taken out.
 */
export function cutFragment(bytes: Uint8Array, { tracks }: ReadFragment, until: (track: number) => number): void {
  const view = viewOf(bytes)
  for (const { track, baseTime, boxAt: start, runAt, samples } of tracks) {
    const end = Math.round(until(track))
    let time = baseTime
    let kept = 0
    for (; kept < samples.length && time < end; kept += 1) time += samples[kept]!.duration
    if (kept === 0) {
      bytes.set(ascii('free'), start + 4)
      continue
    }
    const runBytes = runHeaderBytes + kept * sampleBytes
    const last = samples[kept - 1]!
    view.setUint32(runAt + runBytes - sampleBytes, last.duration - Math.max(0, time - end))
    if (kept === samples.length) continue
    view.setUint32(runAt, runBytes)
    view.setUint32(runAt + 12, kept)
    bytes.set([...u32((samples.length - kept) * sampleBytes), ...ascii('free')], runAt + runBytes)
  }
}

/** What an index of segments says of one. */
export interface SegmentReference {
  bytes: number
  /** Ticks of the video track. */
  duration: number
  /** Whether it begins with a keyframe. */
  keyframe: boolean
}

/** At most so many entries fit into one `sidx`. */
export const maxReferences = 65_535

/** `sidx` (ISO/IEC 14496-12 §8.16.3): where players find the time they look for, without reading everything. */
export function segmentIndex(
  track: number,
  timescale: number,
  start: number,
  references: readonly SegmentReference[],
): Uint8Array {
  const entries = new Uint8Array(references.length * 12)
  const view = viewOf(entries)
  references.forEach(({ bytes, duration, keyframe }, index) => {
    view.setUint32(index * 12, bytes)
    view.setUint32(index * 12 + 4, duration)
    // starts_with_SAP, SAP_type 1
    view.setUint32(index * 12 + 8, keyframe ? 0x90000000 : 0)
  })
  return fullBox('sidx', 1, 0, u32(track), u32(timescale), u64(start), u64(0), u16(0), u16(references.length), entries)
}
