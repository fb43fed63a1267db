/** The lamp, once: both the SVG and the PNG are made from these shapes. Coordinates in a square of 512. */
export const size = 512

export interface Shape {
  /** Corners of a closed polygon. */
  points: readonly (readonly [x: number, y: number])[]
  /** `#rrggbb` */
  fill: string
}

export const night = '#14161c'
export const glow = { x: 256, y: 282, radius: 250, colour: '#ffb454' }
export const cornerRadius = 116

const iron = '#f4efe6'

export const shapes: readonly Shape[] = [
  {
    points: [
      [240, 84],
      [272, 84],
      [272, 132],
      [240, 132],
    ],
    fill: iron,
  },
  {
    points: [
      [256, 118],
      [366, 196],
      [146, 196],
    ],
    fill: iron,
  },
  {
    points: [
      [166, 206],
      [346, 206],
      [322, 380],
      [190, 380],
    ],
    fill: '#ffc873',
  },
  {
    points: [
      [256, 240],
      [286, 306],
      [256, 346],
      [226, 306],
    ],
    fill: '#fff6e2',
  },
  {
    points: [
      [178, 390],
      [334, 390],
      [318, 428],
      [194, 428],
    ],
    fill: iron,
  },
]

/** The lamp in one colour, as Android paints the badge of a notification. */
export const badgeShapes: readonly Shape[] = shapes
  .filter((shape) => shape.fill !== '#fff6e2')
  .map((shape) => ({ ...shape, fill: '#ffffff' }))
