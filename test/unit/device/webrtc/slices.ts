import type { AccessUnit } from '@porchlight/proto/media/access-unit.ts'
import { pictures, type StreamOptions } from '../frames.ts'

/** Pictures that are slices to a packetizer. */
export function slices(options: StreamOptions): AccessUnit[] {
  return pictures(options).map((unit) => {
    unit.data[0]![0] = unit.keyframe ? 0x65 : 0x41
    return unit
  })
}
