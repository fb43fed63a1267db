import { expect, test } from 'vitest'
import type { RecordedPart } from '../../../../gateway/playback/recorded-parts.ts'
import { playlistOf, segmentsOf } from '../../../../gateway/playback/segments.ts'

const startMs = Date.UTC(2024, 0, 2, 3, 4, 5)

const uris = { init: (config: string) => `init/${config}.mp4`, part: (id: number) => `parts/${id}.m4s` }

function part(id: number, more: Partial<RecordedPart> = {}): RecordedPart {
  return {
    ...{
      id,
      path: 'x',
      base_ms: 0,
      init_bytes: 1,
      config: 'c1',
      audio_json: '[]',
      offset: 0,
      bytes: 1,
      run: 'a',
      generation: 0,
    },
    ...{ first_frame: id * 25, last_frame: id * 25 + 24, keyframe: 1 },
    ...{ start_ms: startMs + id * 1_000, end_ms: startMs + (id + 1) * 1_000 },
    ...more,
  }
}

test('parts go together from keyframe to keyframe; the last of what grows is left out', () => {
  const parts = [part(0), part(1, { keyframe: 0 }), part(2), part(3, { keyframe: 0 })]
  expect(segmentsOf(parts, false).map((segment) => segment.parts.length)).toEqual([2, 2])
  expect(segmentsOf(parts, true).map((segment) => segment.id)).toEqual([0])
})

test('a playlist names times, a new configuration and a pause (RFC 8216 §4.3)', () => {
  const parts = [part(0), part(1), part(5), part(6, { config: 'c2' })]
  expect(playlistOf(segmentsOf(parts, false), false, uris)).toBe(`#EXTM3U
#EXT-X-VERSION:7
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-PLAYLIST-TYPE:VOD
#EXT-X-TARGETDURATION:1
#EXT-X-MEDIA-SEQUENCE:0
#EXT-X-MAP:URI="init/c1.mp4"
#EXT-X-PROGRAM-DATE-TIME:2024-01-02T03:04:05.000Z
#EXTINF:1.00000,
parts/0.m4s
#EXT-X-PROGRAM-DATE-TIME:2024-01-02T03:04:06.000Z
#EXTINF:1.00000,
parts/1.m4s
#EXT-X-DISCONTINUITY
#EXT-X-PROGRAM-DATE-TIME:2024-01-02T03:04:10.000Z
#EXTINF:1.00000,
parts/5.m4s
#EXT-X-DISCONTINUITY
#EXT-X-MAP:URI="init/c2.mp4"
#EXT-X-PROGRAM-DATE-TIME:2024-01-02T03:04:11.000Z
#EXTINF:1.00000,
parts/6.m4s
#EXT-X-ENDLIST
`)
})
