import { z } from 'zod'

/**
 * What is recorded of a camera. `events`: what events ask for; `continuous`: everything; `continuous-sub`: everything in
 * its small layer, and the main one at events; `off`: the camera is let go, and nobody sees it.
 */
export const recordingMode = z.enum(['off', 'events', 'continuous', 'continuous-sub'])

/** What of it a device has to know: whether it lets the camera go, or keeps everything for later while no session carries it. */
export const deviceMode = recordingMode.exclude(['continuous-sub'])

export type RecordingMode = z.infer<typeof recordingMode>
export type DeviceMode = z.infer<typeof deviceMode>
