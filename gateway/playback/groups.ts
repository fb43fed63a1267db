import { PorchlightError } from '@porchlight/proto/errors.ts'
import { codecsText } from '@porchlight/proto/media/fmp4/codecs.ts'
import { isWebm, readWebmHeader } from '@porchlight/proto/media/webm/header.ts'
import { skippedPauseMs } from './movie-times.ts'
import type { PartBytes } from './part-bytes.ts'
import type { RecordedPart } from './recorded-parts.ts'
import { type Segment, segmentsOf } from './segments.ts'

/** Groups of pictures that follow each other without a pause, under one init segment. */
export interface Groups {
  /** Media type with the codecs (RFC 6381), as a browser's source buffer takes it. */
  type: string
  /** Capture times that they show, ms since the Unix epoch. */
  fromMs: number
  toMs: number
  bytes: number
  /** Init segment, then part after part. @throws PorchlightError `recording_not_found` */
  read(): AsyncIterable<Uint8Array>
}

/**
 * The groups that show a time, whole, from the keyframe at or before its beginning on; where nothing shows that, from the
 * next one on. They end early at a pause, and where the configuration changes.
 * @param parts in order, with all of the last group
 * @param zeroMs capture time that is 0 in their timeline; ahead of all parts
 * @throws PorchlightError `range_empty`, `recording_not_found`
 */
export async function groupsOf(
  parts: readonly RecordedPart[],
  { fromMs, toMs }: { fromMs: number; toMs: number },
  zeroMs: number,
  source: PartBytes,
): Promise<Groups> {
  const chosen = unbroken(segmentsOf(parts, false), fromMs, toMs).flatMap((segment) => segment.parts)
  const [first] = chosen
  if (first === undefined) throw new PorchlightError('range_empty')
  const init = await source.init(first)
  return {
    type: mediaType(init),
    fromMs: first.start_ms,
    toMs: Math.max(...chosen.map(({ end_ms }) => end_ms)),
    bytes: chosen.reduce((sum, part) => sum + part.bytes, init.byteLength),
    read: async function* () {
      yield init
      for (const [index, part] of chosen.entries()) yield await source.part(part, zeroMs, index + 1, true)
    },
  }
}

function mediaType(init: Uint8Array): string {
  if (isWebm(init)) return `video/webm; codecs="${readWebmHeader(init)?.audio ? 'vp8,opus' : 'vp8'}"`
  const codecs = codecsText(init)
  return codecs === undefined ? 'video/mp4' : `video/mp4; codecs="${codecs}"`
}

function unbroken(segments: readonly Segment[], fromMs: number, toMs: number): Segment[] {
  const shows = segments.findLastIndex(({ startMs, endMs }) => startMs <= fromMs && fromMs < endMs + skippedPauseMs)
  const begin = shows >= 0 ? shows : segments.findIndex(({ startMs }) => startMs > fromMs)
  const chosen: Segment[] = []
  for (const segment of begin < 0 ? [] : segments.slice(begin)) {
    const goesOn = chosen.length === 0 || (!segment.discontinuity && segment.config === chosen[0]!.config)
    if (!goesOn || segment.startMs >= toMs) break
    chosen.push(segment)
  }
  return chosen
}
