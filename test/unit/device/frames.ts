import type { AccessUnit, AudioFrame } from '@porchlight/proto/media/access-unit.ts'

export interface StreamOptions {
  from?: number
  count: number
  /** Pictures per group. */
  gop?: number
  /** Bytes of a picture. */
  bytes?: number
  startMs?: number
}

/** 25 pictures a second, numbered from `from`; a keyframe at each multiple of `gop`. */
export function pictures({ from = 0, count, gop = 25, bytes = 100, startMs = 1_000_000 }: StreamOptions): AccessUnit[] {
  return Array.from({ length: count }, (_, index): AccessUnit => {
    const frame = from + index
    const keyframe = frame % gop === 0
    const data = [new Uint8Array(bytes).fill(frame % 256)]
    return { codec: 'h264', frame, captureMs: startMs + frame * 40, keyframe, reference: true, data }
  })
}

/** PCMU, 20 ms a packet. */
export function sound(count: number, startMs = 1_000_000, from = 0): AudioFrame[] {
  return Array.from({ length: count }, (_, index) => ({
    codec: 'pcmu' as const,
    frame: from + index,
    captureMs: startMs + (from + index) * 20,
    clockRate: 8_000,
    channels: 1,
    samples: 160,
    data: new Uint8Array(160).fill(index % 256),
  }))
}

export const numbers = (units: readonly { frame: number }[]) => units.map((unit) => unit.frame)
