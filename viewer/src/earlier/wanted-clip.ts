import { clipPath, type TimeSpan } from '../api/calls.ts'

/** A clip as it can be had now. */
export interface WantedClip {
  /** The same for as long as the same is wanted, also while what is to come of it comes. */
  wish: string
  span: TimeSpan
  path: string
}

/** @param wanted may reach past now. @param nowMs since the Unix epoch */
export function wantedClip(camera: string, wanted: TimeSpan, nowMs: number): WantedClip {
  const span = { fromMs: Math.round(wanted.fromMs), toMs: Math.round(Math.min(wanted.toMs, nowMs)) }
  return { wish: clipPath(camera, wanted), span, path: clipPath(camera, span) }
}
