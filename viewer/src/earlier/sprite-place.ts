import type { SpritePlan } from '../api/calls.ts'

/** Where one of the small pictures of a minute stands, pixels. */
export interface SpritePlace {
  x: number
  y: number
  width: number
  height: number
}

/** The picture of a moment: the last one before it, or the first. @param ms since the Unix epoch */
export function placeInSprite({ pictures, columns, width, height }: SpritePlan, ms: number): SpritePlace {
  const last = pictures.findLastIndex((at) => at <= ms)
  const index = Math.max(0, last)
  return { x: (index % columns) * width, y: Math.floor(index / columns) * height, width, height }
}
