import { z } from 'zod'
import { randomId } from './ids.ts'

/**
 * What a device and the gateway say to each other about single frames of a run (numbering): which of them are not
 * recorded, and which will never come. `GET …/frames?run&from&to` and `POST …/frames/gone` of a device's camera.
 */

/** Ranges in one message. */
export const maxFrameRanges = 256

const frame = z.number().int().nonnegative().max(0xffff_ffff)

/** Frame numbers, both inclusive, ascending. */
export const frameRanges = z
  .array(
    z.tuple([frame, frame]).refine(([from, to]) => from <= to, {
      error: 'a range must not end before it begins',
    }),
  )
  .max(maxFrameRanges)

/** What of the frames asked about is not recorded durably. Where there are more ranges, the last one reaches to the end. */
export const missingAnswer = z.object({ missing: frameRanges })

/**
 * Why frames will never come. not_kept: the device has them no more; queue_full, too_old: the bounds of its queue or its
 * spool dropped them; refused: the gateway refused the bytes for good.
 */
export const goneReasons = z.enum(['not_kept', 'queue_full', 'too_old', 'refused'])
export type GoneReason = z.infer<typeof goneReasons>

export const goneReport = z.object({ run: randomId, ranges: frameRanges, reason: goneReasons })
