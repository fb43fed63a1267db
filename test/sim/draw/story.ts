import type { Canvas } from './canvas.ts'
import { type Look, type Pose, paintFigure } from './figure.ts'

/** What happens on the porch: two people come to the door, ring, and leave. Times in seconds from the scene's start. */
export const sceneSeconds = 40
export const sceneFps = 25

interface Visit {
  enters: number
  look: Look
  /** Seconds to walk in, to stand at the door, to walk out. */
  in: number
  stands: number
  out: number
}

const visits: readonly Visit[] = [
  {
    enters: 5,
    look: { coat: [72, 96, 140], trousers: [58, 56, 64], hair: [60, 42, 32], extra: 'parcel' },
    in: 2.6,
    stands: 2.4,
    out: 2.4,
  },
  {
    enters: 25,
    look: { coat: [176, 122, 52], trousers: [70, 78, 104], hair: [120, 84, 48], extra: 'hat' },
    in: 3,
    stands: 2.2,
    out: 2.8,
  },
]

const outside = 1345
const atDoor = 690
const ease = (part: number) => (part < 0 ? 0 : part > 1 ? 1 : part * part * (3 - 2 * part))

/** Where the visitor is at a time; undefined while the porch is empty. */
export function poseAt(seconds: number): { look: Look; pose: Pose } | undefined {
  for (const visit of visits) {
    const since = seconds - visit.enters
    if (since < 0 || since > visit.in + visit.stands + visit.out) continue
    const walk = since < visit.in ? since / visit.in : 1
    const back = (since - visit.in - visit.stands) / visit.out
    const leaving = since > visit.in + visit.stands
    const way = leaving ? ease(back) : 1 - ease(walk)
    const standing = since - visit.in
    return {
      look: visit.look,
      pose: {
        x: atDoor + (outside - atDoor) * way,
        y: 640,
        height: 400,
        facing: leaving ? 1 : -1,
        stride: ((outside - atDoor) * way) / 34,
        walking: Math.min(1, 6 * way * (1 - way) + (way > 0.5 ? 1 : 0)),
        reach: leaving ? 0 : ease(standing / 0.5) * ease((visit.stands - 0.6 - standing) / 0.5),
      },
    }
  }
  return undefined
}

/** Paints whoever is there; false where nothing of them is in the picture. */
export function paintStory(canvas: Canvas, seconds: number): boolean {
  const present = poseAt(seconds)
  if (present === undefined) return false
  paintFigure(canvas, present.look, present.pose)
  return present.pose.x < canvas.width + 40
}
