import { z } from 'zod'
import { cameraState } from './cameras.ts'
import { recordingMode } from './recording-mode.ts'

/** gateway → open pages: an event began, goes on, ended, or got its still. */
export const eventNotice = z.object({
  type: z.literal('event'),
  eventId: z.string(),
  camera: z.string(),
  cameraTitle: z.string(),
  kind: z.enum(['ring', 'motion']),
  /** ms since the Unix epoch, device clock. */
  begin: z.number(),
  end: z.number().nullable(),
  hasStill: z.boolean(),
  /** It and its footage are kept until somebody says otherwise. */
  protected: z.boolean(),
})

/** gateway → open pages: a camera as a viewer sees it; also an item of `GET /api/cameras`. */
export const cameraNotice = cameraState.omit({ camera: true }).extend({
  type: z.literal('camera'),
  /** `{device}.{camera}` */
  id: z.string(),
  /** Whether its device is connected. */
  online: z.boolean(),
  /** Capture time of the newest picture the gateway has seen, ms since the Unix epoch. */
  lastPictureAt: z.number().nullable(),
  viewers: z.number().int().nonnegative(),
  recording: z.boolean(),
  /** What is recorded of it now. Absent: that is not known yet. */
  recordingMode: recordingMode.optional(),
  /** Error code where recording fails (`disk_full` …). */
  recordingError: z.string().optional(),
})

/** gateway → open pages: who holds a camera's talk floor. */
export const floorNotice = z.object({
  type: z.literal('floor'),
  camera: z.string(),
  holder: z.object({ session: z.string(), name: z.string() }).nullable(),
  /** End of the lease, ms since the Unix epoch. */
  until: z.number().nullable(),
})

export type EventNotice = z.infer<typeof eventNotice>
export type CameraNotice = z.infer<typeof cameraNotice>
export type FloorNotice = z.infer<typeof floorNotice>
