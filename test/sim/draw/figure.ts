import { type Canvas, type Colour, ellipse, limb, polygon, shade } from './canvas.ts'
import { lit } from './porch.ts'

export interface Look {
  coat: Colour
  trousers: Colour
  hair: Colour
  /** A parcel under the arm, or a hat. */
  extra: 'parcel' | 'hat'
}

export interface Pose {
  /** Where the feet stand, in pixels. */
  x: number
  y: number
  /** Height in pixels. */
  height: number
  /** -1 looks to the left, 1 to the right. */
  facing: -1 | 1
  /** Phase of the stride in radians. */
  stride: number
  /** 0 stands, 1 walks. */
  walking: number
  /** 0 the arm hangs, 1 it reaches for the bell. */
  reach: number
}

/** Paints a person into the light of the porch. */
export function paintFigure(canvas: Canvas, look: Look, pose: Pose): void {
  const unit = pose.height / 100
  const swing = Math.sin(pose.stride) * pose.walking
  const bob = Math.abs(Math.cos(pose.stride)) * pose.walking * 1.4
  const at = (dx: number, up: number): [number, number] => [
    pose.x + dx * pose.facing * unit,
    pose.y - (up + bob) * unit,
  ]
  const part = (from: [number, number], to: [number, number], r1: number, r2: number, colour: Colour) =>
    canvas.fill(limb(...from, ...to, r1 * unit, r2 * unit), lit(colour))

  canvas.fill(ellipse(pose.x + 14, pose.y + 2, 17 * unit, 3.4 * unit), [14, 12, 16], 0.5, 8)
  const skin: Colour = [206, 152, 120]
  const shoe: Colour = [44, 36, 34]
  const leg = (angle: number, tone: number) => {
    const lift = Math.max(0, -Math.cos(pose.stride + (angle < 0 ? Math.PI : 0))) * pose.walking
    const knee = at(angle * 11 + 1.5, 25 + lift * 2)
    const foot = at(angle * 20 - lift * 4, 3 + lift * 3)
    part(at(0, 48), knee, 6, 4.6, shade(look.trousers, tone))
    part(knee, foot, 4.6, 3.4, shade(look.trousers, tone))
    part(foot, [foot[0] + 5 * unit * pose.facing, foot[1]], 3.2, 2.6, shoe)
  }
  const arm = (angle: number, reach: number, tone: number) => {
    const elbow = at(angle * 9 + reach * 7, 60 + reach * 10)
    const hand = at(angle * 14 + 3 + reach * 21, 47 + reach * 27)
    part(at(0, 78), elbow, 4.6, 3.8, shade(look.coat, tone))
    part(elbow, hand, 3.8, 3, shade(look.coat, tone))
    canvas.fill(ellipse(hand[0], hand[1], 3.1 * unit, 3.1 * unit), lit(skin))
  }
  arm(-swing, 0, 0.72)
  leg(-swing, 0.78)
  leg(swing, 1)
  part(at(0, 76), at(0, 47), 9.4, 9, look.coat)
  part(at(0, 52), at(0, 42), 9.2, 9.6, look.coat)
  part(at(0.5, 84), at(0.5, 88), 3.6, 3.6, skin)
  const [headX, headY] = at(1, 93)
  canvas.fill(ellipse(headX, headY, 6.4 * unit, 7.6 * unit), lit(skin))
  canvas.fill(ellipse(headX - 1.6 * unit * pose.facing, headY - 2.6 * unit, 6.4 * unit, 6 * unit), lit(look.hair))
  canvas.fill(ellipse(headX + 3.4 * unit * pose.facing, headY - 0.4 * unit, 0.8 * unit, 1 * unit), [30, 26, 26])
  if (look.extra === 'hat') {
    part([headX - 8 * unit, headY - 3.4 * unit], [headX + 9 * unit, headY - 3.4 * unit], 1.3, 1.3, [70, 60, 110])
    canvas.fill(ellipse(headX, headY - 5.4 * unit, 6.4 * unit, 4.6 * unit), lit([84, 72, 130]))
  }
  arm(swing, pose.reach, 1.06)
  if (look.extra === 'parcel') {
    const [x, y] = at(-3, 60)
    const half = 9 * unit
    canvas.fill(
      polygon(
        [x - half, y - half * 0.7],
        [x + half, y - half * 0.7],
        [x + half, y + half * 0.7],
        [x - half, y + half * 0.7],
      ),
      lit([190, 146, 96]),
    )
    part([x, y - half * 0.7], [x, y + half * 0.7], 0.9, 0.9, [150, 108, 66])
  }
}
