import { z } from 'zod'

/** Name of a device or of a camera on it: lower-case letters, digits, hyphens; safe in topics, URLs and file names. */
export const name = z
  .string()
  .regex(/^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$/, 'lower-case letters, digits and hyphens, 1 to 32')

/** A camera everywhere outside its device: `{device}.{camera}`. */
export const cameraId = z.string().regex(/^[a-z0-9-]{1,32}\.[a-z0-9-]{1,32}$/, 'device.camera')

/** Stands for the device in the ids of cameras that have none and publish by WHIP; no device is enrolled under it. */
export const whipDevice = 'whip'

/** Ids of boots, sessions, events, messages: random, made by whoever creates the thing. */
export const randomId = z.string().regex(/^[A-Za-z0-9_-]{8,64}$/)

const subSuffix = '.sub'

/** Names a numbering of frames: a boot's or a session's id; that of the small layer beside it ends in `.sub`. */
export const runId = z.string().regex(/^[A-Za-z0-9_-]{8,64}(?:\.sub)?$/)

/** The run of the small layer's frames, beside that of the main one's. */
export function subRun(run: string): string {
  return run + subSuffix
}

/** Whether frames of this run are of a camera's small layer. */
export function isSubRun(run: string): boolean {
  return run.endsWith(subSuffix)
}

export function toCameraId(device: string, camera: string): string {
  return `${device}.${camera}`
}

/** Takes a camera id apart. The id must have passed `cameraId`. */
export function splitCameraId(id: string): { device: string; camera: string } {
  const dot = id.indexOf('.')
  return { device: id.slice(0, dot), camera: id.slice(dot + 1) }
}
