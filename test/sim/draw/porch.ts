import { box, Canvas, type Colour, ellipse, limb, mix, polygon, shade } from './canvas.ts'

/** Size of the main stream's picture, in pixels. */
export const sceneWidth = 1280
export const sceneHeight = 720
/** Height of the bar code's strip at the bottom. */
export const stripHeight = 40

const lamp = { x: 640, y: 214 }

/** Light at a place at dusk: a cool rest of daylight, and the lantern beside the door. */
export function light(x: number, y: number): Colour {
  const distance = Math.hypot(x - lamp.x, (y - lamp.y) * 0.9)
  const warm = 0.75 / (1 + (distance / 270) ** 2)
  return [0.56 + warm * 1.05, 0.58 + warm * 0.78, 0.7 + warm * 0.38]
}

/** Applies the light of a place to a colour. */
export function lit(colour: Colour): (x: number, y: number) => Colour {
  return (x, y) => {
    const [red, green, blue] = light(x, y)
    return [colour[0] * red, colour[1] * green, colour[2] * blue]
  }
}

/** The porch without anybody on it. */
export function paintPorch(): Canvas {
  const canvas = new Canvas(sceneWidth, sceneHeight)
  const house = new Canvas(sceneWidth, sceneHeight)
  paintHouse(house)
  paintGarden(canvas)
  // The house's own colours take the light; sky and lit windows make their own.
  canvas.map((x, y, under) => {
    const at = (y * sceneWidth + x) * 3
    const colour: Colour = [house.pixels[at]!, house.pixels[at + 1]!, house.pixels[at + 2]!]
    return colour[0] + colour[1] + colour[2] === 0 ? under : lit(colour)(x, y)
  })
  paintLights(canvas)
  return canvas
}

function paintGarden(canvas: Canvas): void {
  const top: Colour = [34, 44, 92]
  const middle: Colour = [120, 92, 140]
  const horizon: Colour = [242, 164, 112]
  canvas.fill(box(0, 0, sceneWidth, sceneHeight), (_, y) =>
    y < 230 ? mix(top, middle, y / 230) : mix(middle, horizon, (y - 230) / 190),
  )
  for (const [x, y, size] of [
    [960, 96, 1.6],
    [1010, 170, 1.2],
    [1092, 118, 1.5],
    [1236, 196, 1.3],
    [940, 232, 1.1],
  ] as const) {
    canvas.fill(ellipse(x, y, size, size), [235, 235, 250], 0.9)
  }
  canvas.fill(ellipse(1080, 470, 330, 90), [66, 72, 96])
  canvas.fill(ellipse(1290, 480, 260, 120), [50, 60, 78])
  for (const [x, size] of [
    [968, 30],
    [1016, 42],
    [1246, 54],
  ] as const) {
    canvas.fill(box(x - 4, 420, 8, 70), [34, 32, 36])
    for (const [dx, dy, part] of [
      [0, -0.9, 1],
      [-0.7, -0.2, 0.8],
      [0.7, -0.3, 0.85],
    ] as const) {
      canvas.fill(ellipse(x + dx * size, 420 + dy * size, size * part, size * part * 0.9), [32, 50, 50], 1, 3)
    }
  }
  canvas.fill(box(880, 470, 400, 210), (_, y) => mix([52, 78, 62], [38, 58, 44], (y - 470) / 130))
  canvas.fill(polygon([1060, 478], [1096, 478], [1230, 620], [960, 620]), [126, 112, 104])
}

function paintHouse(canvas: Canvas): void {
  const board: Colour = [150, 170, 180]
  canvas.fill(box(0, 0, 900, 575), (_, y) => {
    const within = (y % 34) / 34
    return within > 0.93 ? shade(board, 0.62) : mix(board, shade(board, 0.9), within)
  })
  const trim: Colour = [226, 222, 210]
  canvas.fill(box(884, 40, 24, 540), trim)
  // floor: planks that run towards the camera
  canvas.fill(box(0, 572, sceneWidth, 110), (x, y) => {
    const towards = 640 + (x - 640) / (1 + (y - 572) / 260)
    const plank = Math.floor(towards / 46)
    const seam = towards / 46 - plank
    const wood: Colour = [132 + ((plank * 37) % 19), 98 + ((plank * 37) % 15), 70 + ((plank * 37) % 11)]
    return seam < 0.045 ? shade(wood, 0.55) : wood
  })
  canvas.fill(box(0, 564, 900, 12), shade(trim, 0.85))
  canvas.fill(box(0, 0, sceneWidth, 46), [122, 92, 70])
  canvas.fill(box(0, 44, sceneWidth, 6), [82, 60, 46])
  // post and railing
  canvas.fill(box(905, 486, 375, 12, 3), shade(trim, 0.9))
  for (let x = 925; x < sceneWidth; x += 30) canvas.fill(box(x, 496, 8, 80), shade(trim, 0.82))
  canvas.fill(box(1164, 48, 34, 536), (x) => shade(trim, 1.02 - Math.abs(x - 1176) / 90))
  canvas.fill(box(1154, 50, 54, 18, 3), trim)
  canvas.fill(box(1154, 562, 54, 22, 3), trim)
  paintDoor(canvas, trim)
  // window frame
  canvas.fill(box(66, 186, 208, 248, 4), trim)
  canvas.fill(box(58, 430, 224, 14, 3), shade(trim, 0.9))
  // flower pot
  canvas.fill(polygon([214, 556], [296, 556], [282, 634], [228, 634]), [172, 92, 62])
  canvas.fill(box(208, 546, 94, 18, 4), [188, 104, 70])
  for (const [dx, dy, lean] of [
    [-46, -92, 9],
    [-22, -128, 10],
    [6, -142, 11],
    [32, -120, 10],
    [52, -84, 9],
    [-8, -84, 12],
    [20, -70, 12],
  ] as const) {
    canvas.fill(limb(255, 552, 255 + dx, 552 + dy, 4, lean), [54, 110 + lean * 3, 66])
  }
  // mat
  canvas.fill(polygon([356, 596], [548, 596], [572, 640], [330, 640]), [92, 84, 66])
  canvas.fill(polygon([368, 602], [538, 602], [556, 633], [348, 633]), [112, 102, 78])
}

function paintDoor(canvas: Canvas, trim: Colour): void {
  const red: Colour = [150, 46, 44]
  canvas.fill(box(344, 128, 212, 450, 3), trim)
  canvas.fill(box(362, 146, 176, 430), red)
  for (const x of [380, 458]) {
    for (const [y, height] of [
      [330, 96],
      [446, 108],
    ] as const) {
      canvas.fill(box(x, y, 62, height, 2), shade(red, 0.7))
      canvas.fill(box(x + 5, y + 5, 52, height - 10, 2), shade(red, 1.12))
    }
  }
  canvas.fill(box(418, 432, 64, 9, 3), [196, 160, 84]) // letter slot
  canvas.fill(ellipse(524, 384, 8, 8), [214, 178, 96])
  canvas.fill(box(520, 396, 8, 22, 3), [190, 154, 80])
  // the number 7 beside the door
  canvas.fill(limb(596, 268, 618, 268, 3, 3), [40, 40, 44])
  canvas.fill(limb(618, 268, 604, 302, 3, 3), [40, 40, 44])
  // the doorbell
  canvas.fill(box(590, 356, 26, 54, 9), [38, 38, 42])
}

function paintLights(canvas: Canvas): void {
  const glow: Colour = [255, 214, 140]
  for (const [x, y, width, height] of [
    [80, 200, 86, 104],
    [174, 200, 86, 104],
    [80, 312, 86, 108],
    [174, 312, 86, 108],
  ] as const) {
    canvas.fill(box(x, y, width, height), (px, py) => mix(glow, [214, 138, 70], Math.hypot(px - 170, py - 290) / 190))
  }
  // curtains
  canvas.fill(polygon([80, 200], [122, 200], [96, 420], [80, 420]), [226, 186, 150], 0.75)
  canvas.fill(polygon([218, 200], [260, 200], [260, 420], [244, 420]), [226, 186, 150], 0.75)
  // panes of the door
  for (const x of [380, 458]) {
    canvas.fill(box(x, 166, 62, 140, 2), (px, py) => mix(glow, [196, 120, 62], Math.hypot(px - 450, py - 190) / 170))
  }
  canvas.fill(ellipse(603, 383, 9, 9), [120, 200, 255], 0.95, 2)
  canvas.fill(ellipse(603, 383, 5, 5), [235, 248, 255])
  // the lantern
  canvas.fill(ellipse(lamp.x, lamp.y, 120, 120), [255, 208, 130], 0.28, 150)
  canvas.fill(box(lamp.x - 4, lamp.y - 60, 8, 26), [30, 30, 34])
  canvas.fill(box(lamp.x - 20, lamp.y - 30, 40, 58, 5), [255, 236, 186])
  canvas.fill(ellipse(lamp.x, lamp.y, 11, 17), [255, 252, 236], 1, 6)
  for (const x of [lamp.x - 20, lamp.x - 2, lamp.x + 16]) canvas.fill(box(x, lamp.y - 30, 4, 58), [34, 32, 34])
  canvas.fill(
    polygon(
      [lamp.x - 10, lamp.y - 46],
      [lamp.x + 10, lamp.y - 46],
      [lamp.x + 27, lamp.y - 29],
      [lamp.x - 27, lamp.y - 29],
    ),
    [34, 32, 34],
  )
  canvas.fill(box(lamp.x - 24, lamp.y + 27, 48, 7, 3), [34, 32, 34])
}
