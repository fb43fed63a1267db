import type { AudioFrame } from '@porchlight/proto/media/access-unit.ts'
import type { Part } from '../recorder/part-builder.ts'

/** 20 ms of silence, 960 samples at 48 kHz: CELT, full band, mono (RFC 6716 §3.1). */
const silence: Omit<AudioFrame, 'captureMs'> = {
  ...{ codec: 'opus', frame: 0, clockRate: 48_000, channels: 1, samples: 960 },
  data: Uint8Array.of(0xf8, 0xff, 0xfe),
}
const silenceMs = 20
/** Sound may come so much later than its pictures (a converter holds some back), ms. */
const lateMs = 1_000
/** A hole of the pictures as well is left as it is beyond this, ms. */
const longestHoleMs = 3_000
/** Times of sound may differ so much from an even row, ms. */
const slackMs = 10

/**
 * Makes a camera's Opus an unbroken row: a browser's buffer reaches only as far as its sound does, and a picture must
 * never wait for a microphone. Holes are filled with silence; sound whose place is taken is left out.
 */
export class SteadySound {
  #toMs: number | undefined

  /** The part's sound for the stream; reaches to within a second of the part's end. */
  fill({ startMs, endMs, audio }: Part): AudioFrame[] {
    const row: AudioFrame[] = []
    const beginMs = Math.min(startMs, audio[0]?.captureMs ?? startMs)
    let toMs = this.#toMs === undefined || beginMs - this.#toMs > longestHoleMs ? beginMs : this.#toMs
    const quietUntil = (ms: number) => {
      for (; ms - toMs >= silenceMs; toMs += silenceMs) row.push({ ...silence, captureMs: toMs })
    }
    for (const frame of audio) {
      if (frame.captureMs < toMs - slackMs) continue
      quietUntil(frame.captureMs)
      row.push(frame)
      toMs = frame.captureMs + (frame.samples * 1_000) / frame.clockRate
    }
    quietUntil(endMs - lateMs)
    this.#toMs = toMs
    return row
  }
}
