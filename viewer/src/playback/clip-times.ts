/** A segment of a clip: the time that it shows, and where it stands in the clip. */
export interface ClipSegment {
  /** ms since the Unix epoch; `toMs` is not in it */
  fromMs: number
  toMs: number
  /** Where it begins in the clip, s. */
  at: number
}

/** A shorter pause is none, ms: the gateway does not skip it either. */
const pauseMs = 1_000
/** So far ahead of its end the last picture of a segment is shown, ms. */
const lastPictureMs = 60

/** Reads a clip's playlist (RFC 8216), in which every segment has its date. */
export function segmentsIn(playlist: string): ClipSegment[] {
  const segments: ClipSegment[] = []
  let fromMs = Number.NaN
  let seconds = 0
  let at = 0
  for (const line of playlist.split(/\r?\n/)) {
    const [, tag, value = ''] = /^#EXT(-X-PROGRAM-DATE-TIME|INF):(.*)$/.exec(line) ?? []
    if (tag === '-X-PROGRAM-DATE-TIME') fromMs = Date.parse(value)
    else if (tag === 'INF') seconds = Number.parseFloat(value)
    else if (line !== '' && !line.startsWith('#')) {
      segments.push({ fromMs, toMs: fromMs + seconds * 1_000, at })
      at += seconds
    }
  }
  return segments
}

/** Where in the clip a moment is, s; undefined where nothing of it is recorded. @param ms since the Unix epoch */
export function secondsOf(segments: readonly ClipSegment[], ms: number): number | undefined {
  const inside = segments.find(({ fromMs, toMs }) => fromMs <= ms && ms < toMs)
  if (inside) return inside.at + (ms - inside.fromMs) / 1_000
  const next = segments.find(({ fromMs }) => fromMs >= ms && fromMs - ms <= pauseMs)
  if (next) return next.at
  const before = segments.findLast(({ toMs }) => toMs <= ms && ms - toMs <= pauseMs)
  return before && before.at + Math.max(0, before.toMs - before.fromMs - lastPictureMs) / 1_000
}

/** The moment that a clip shows, ms since the Unix epoch. @param seconds in the clip */
export function momentOf(segments: readonly ClipSegment[], seconds: number): number | undefined {
  const segment = segments.findLast(({ at }) => at <= seconds + 0.001) ?? segments[0]
  return segment && Math.min(Math.max(segment.fromMs, segment.fromMs + (seconds - segment.at) * 1_000), segment.toMs)
}
