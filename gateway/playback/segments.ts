import { PorchlightError } from '@porchlight/proto/errors.ts'
import { skippedPauseMs } from './movie-times.ts'
import type { RecordedPart } from './recorded-parts.ts'

/** What a player loads at once: parts from a keyframe up to the next. */
export interface Segment {
  /** Id of the first part: names the segment. */
  id: number
  parts: RecordedPart[]
  config: string
  startMs: number
  endMs: number
  /** It does not go on where the one before it ended. */
  discontinuity: boolean
}

/**
 * Cuts parts into segments.
 * @param parts in order; the first begins with a keyframe
 * @param growing then the last segment may not be whole yet, and is left out
 */
export function segmentsOf(parts: readonly RecordedPart[], growing: boolean): Segment[] {
  const segments: Segment[] = []
  for (const part of parts) {
    const last = segments.at(-1)
    const goesOn = last && part.config === last.config && part.run === last.parts[0]!.run
    if (goesOn && part.keyframe === 0) {
      last.parts.push(part)
      last.endMs = Math.max(last.endMs, part.end_ms)
      continue
    }
    const discontinuity = last !== undefined && (!goesOn || part.start_ms - last.endMs > skippedPauseMs)
    segments.push({
      id: part.id,
      parts: [part],
      config: part.config,
      startMs: part.start_ms,
      endMs: part.end_ms,
      discontinuity,
    })
  }
  return growing ? segments.slice(0, -1) : segments
}

/** What a playlist calls its files, relative to its own address. */
export interface SegmentUris {
  init(config: string): string
  part(id: number): string
}

/**
 * HLS (RFC 8216): an EVENT playlist while it grows, with an end when nothing more comes.
 * @throws PorchlightError `recording_no_hls` where a part is WebM
 */
export function playlistOf(segments: readonly Segment[], growing: boolean, uris: SegmentUris): string {
  if (segments.some(({ parts }) => parts.some(({ path }) => path.endsWith('.webm'))))
    throw new PorchlightError('recording_no_hls')
  const seconds = (segment: Segment) => (segment.endMs - segment.startMs) / 1_000
  const longest = segments.reduce((most, segment) => Math.max(most, seconds(segment)), 1)
  const lines = [
    '#EXTM3U',
    '#EXT-X-VERSION:7',
    '#EXT-X-INDEPENDENT-SEGMENTS',
    `#EXT-X-PLAYLIST-TYPE:${growing ? 'EVENT' : 'VOD'}`,
    `#EXT-X-TARGETDURATION:${Math.ceil(longest)}`,
    '#EXT-X-MEDIA-SEQUENCE:0',
  ]
  let config: string | undefined
  for (const segment of segments) {
    if (segment.discontinuity) lines.push('#EXT-X-DISCONTINUITY')
    if (segment.config !== config) lines.push(`#EXT-X-MAP:URI="${uris.init(segment.config)}"`)
    config = segment.config
    lines.push(
      `#EXT-X-PROGRAM-DATE-TIME:${new Date(segment.startMs).toISOString()}`,
      `#EXTINF:${seconds(segment).toFixed(5)},`,
      uris.part(segment.id),
    )
  }
  if (!growing) lines.push('#EXT-X-ENDLIST')
  return `${lines.join('\n')}\n`
}
