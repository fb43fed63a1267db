import type { GatewayConfig } from '../../config/schema.ts'

/** What footage was recorded for, the cheapest first. */
export const footageClasses = ['continuous', 'motion', 'ring'] as const
export type FootageClass = (typeof footageClasses)[number]

const dayMs = 86_400_000
const gigabyte = 1e9
/** What is kept free of a disk unless said otherwise: this share, but no more than so many bytes. */
const reserveShare = 0.05
const mostReserve = gigabyte

export interface CameraLimits {
  /** How long footage is kept, ms. */
  keepMs: Readonly<Record<FootageClass, number>>
  /** How much of each class, bytes; Infinity: no limit. Protected footage does not count. */
  classBytes: Readonly<Record<FootageClass, number>>
  /** How much in all, bytes; Infinity: no limit. */
  bytes: number
}

export interface RetentionLimits {
  camera(id: string): CameraLimits
  /** How much of all cameras together, bytes; Infinity: no limit. */
  bytes: number
  /** What stays free of a disk of this size. Both in bytes. */
  reserve(diskBytes: number): number
}

/** `recordings.retention` of the configuration. */
export type RetentionSettings = GatewayConfig['recordings']['retention']

/** The limits that the settings say. */
export function retentionLimits(settings: RetentionSettings): RetentionLimits {
  const made = new Map<string, CameraLimits>()
  const { reserveGigabytes } = settings
  return {
    camera(id) {
      const known = made.get(id)
      if (known) return known
      const limits = cameraLimits({ ...settings, ...settings.cameras[id] })
      made.set(id, limits)
      return limits
    },
    bytes: bytesOf(settings.gigabytes),
    reserve: (diskBytes) =>
      reserveGigabytes === undefined ? Math.min(diskBytes * reserveShare, mostReserve) : reserveGigabytes * gigabyte,
  }
}

function cameraLimits(settings: Omit<RetentionSettings, 'cameras'>): CameraLimits {
  const { ringDays, motionDays, continuousDays, ringGigabytes, motionGigabytes, continuousGigabytes } = settings
  return {
    keepMs: { ring: ringDays * dayMs, motion: motionDays * dayMs, continuous: continuousDays * dayMs },
    classBytes: {
      ring: bytesOf(ringGigabytes),
      motion: bytesOf(motionGigabytes),
      continuous: bytesOf(continuousGigabytes),
    },
    bytes: bytesOf(settings.cameraGigabytes),
  }
}

function bytesOf(gigabytes: number | undefined): number {
  return gigabytes === undefined ? Number.POSITIVE_INFINITY : gigabytes * gigabyte
}
