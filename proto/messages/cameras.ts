import { z } from 'zod'
import { name, randomId } from '../ids.ts'
import { envelope } from './envelope.ts'

export const videoCodec = z.enum(['h264', 'h265', 'vp8', 'vp9', 'av1'])
export const audioCodec = z.enum(['opus', 'pcmu', 'pcma', 'aac'])

/** One camera as its device sees it. */
export const cameraState = z.object({
  camera: name,
  /** What people call it. */
  title: z.string().min(1).max(64),
  kind: z.enum(['doorbell', 'camera']),
  state: z.enum(['connecting', 'live', 'failed']),
  /** Error code (proto/errors.ts) where `state` is not `live`. */
  error: z.string().max(64).optional(),
  video: z
    .object({ codec: videoCodec, width: z.number().int().nonnegative(), height: z.number().int().nonnegative() })
    .optional(),
  /** Codec of the sound as the camera sends it. */
  audio: audioCodec.optional(),
  /** Codec that the talk path wants from viewers; absent: nobody can talk here. */
  talk: z.enum(['opus', 'pcmu', 'pcma']).optional(),
  motion: z.enum(['on', 'off', 'unavailable']),
  /** Error codes of what is limited although the camera is live: `camera_bframes`, `ffmpeg_missing` … */
  notes: z.array(z.string().max(64)).max(16),
})

/** Retained on `cameras`; published again whenever something in it changes. */
export const cameras = envelope.extend({
  type: z.literal('cameras'),
  bootId: randomId,
  cameras: z.array(cameraState).max(64),
})

export type VideoCodec = z.infer<typeof videoCodec>
export type AudioCodec = z.infer<typeof audioCodec>
export type CameraState = z.infer<typeof cameraState>
export type Cameras = z.infer<typeof cameras>
