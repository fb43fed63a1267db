/** A small painter: shapes are signed distance functions, so that every edge comes out smooth. Pixels are RGB, 8 bits. */
export type Colour = readonly [red: number, green: number, blue: number]
export type Paint = Colour | ((x: number, y: number) => Colour)

export interface Shape {
  /** Left, top, right, bottom, in pixels; nothing is painted outside. */
  bounds: readonly [number, number, number, number]
  /** Pixels from the edge, negative inside. */
  distance(x: number, y: number): number
}

export class Canvas {
  readonly width: number
  readonly height: number
  readonly pixels: Uint8ClampedArray

  constructor(width: number, height: number) {
    this.width = width
    this.height = height
    this.pixels = new Uint8ClampedArray(width * height * 3)
  }

  copyFrom(other: Canvas): void {
    this.pixels.set(other.pixels)
  }

  /** Paints a shape; `softness` is the width of its edge in pixels, `alpha` its opacity. */
  fill(shape: Shape, paint: Paint, alpha = 1, softness = 1): void {
    const [left, top, right, bottom] = shape.bounds
    const x0 = Math.max(0, Math.floor(left - softness))
    const x1 = Math.min(this.width, Math.ceil(right + softness))
    const y0 = Math.max(0, Math.floor(top - softness))
    const y1 = Math.min(this.height, Math.ceil(bottom + softness))
    for (let y = y0; y < y1; y += 1) {
      for (let x = x0; x < x1; x += 1) {
        const inside = 0.5 - shape.distance(x + 0.5, y + 0.5) / softness
        if (inside <= 0) continue
        this.blend(x, y, typeof paint === 'function' ? paint(x, y) : paint, Math.min(1, inside) * alpha)
      }
    }
  }

  /** Changes every pixel by a function of its place and colour. */
  map(change: (x: number, y: number, colour: Colour) => Colour): void {
    let at = 0
    for (let y = 0; y < this.height; y += 1) {
      for (let x = 0; x < this.width; x += 1, at += 3) {
        const colour = change(x, y, [this.pixels[at]!, this.pixels[at + 1]!, this.pixels[at + 2]!])
        this.pixels[at] = colour[0]
        this.pixels[at + 1] = colour[1]
        this.pixels[at + 2] = colour[2]
      }
    }
  }

  private blend(x: number, y: number, colour: Colour, alpha: number): void {
    const at = (y * this.width + x) * 3
    for (let channel = 0; channel < 3; channel += 1) {
      const under = this.pixels[at + channel]!
      this.pixels[at + channel] = under + (colour[channel]! - under) * alpha
    }
  }
}

export function box(x: number, y: number, width: number, height: number, radius = 0): Shape {
  const centreX = x + width / 2
  const centreY = y + height / 2
  return {
    bounds: [x, y, x + width, y + height],
    distance(px, py) {
      const dx = Math.abs(px - centreX) - width / 2 + radius
      const dy = Math.abs(py - centreY) - height / 2 + radius
      return Math.hypot(Math.max(dx, 0), Math.max(dy, 0)) + Math.min(Math.max(dx, dy), 0) - radius
    },
  }
}

export function ellipse(x: number, y: number, radiusX: number, radiusY: number): Shape {
  const scale = Math.min(radiusX, radiusY)
  return {
    bounds: [x - radiusX, y - radiusY, x + radiusX, y + radiusY],
    distance: (px, py) => (Math.hypot((px - x) / radiusX, (py - y) / radiusY) - 1) * scale,
  }
}

/** A line with round ends whose radius goes from `from` to `to`: a limb. */
export function limb(x1: number, y1: number, x2: number, y2: number, from: number, to: number): Shape {
  const radius = Math.max(from, to)
  const dx = x2 - x1
  const dy = y2 - y1
  const square = dx * dx + dy * dy || 1
  return {
    bounds: [
      Math.min(x1, x2) - radius,
      Math.min(y1, y2) - radius,
      Math.max(x1, x2) + radius,
      Math.max(y1, y2) + radius,
    ],
    distance(px, py) {
      const along = Math.min(1, Math.max(0, ((px - x1) * dx + (py - y1) * dy) / square))
      return Math.hypot(px - x1 - dx * along, py - y1 - dy * along) - (from + (to - from) * along)
    },
  }
}

/** A convex polygon; corners clockwise on screen. */
export function polygon(...corners: readonly (readonly [number, number])[]): Shape {
  const edges = corners.map(([x, y], index) => {
    const [nextX, nextY] = corners[(index + 1) % corners.length]!
    const length = Math.hypot(nextX - x, nextY - y) || 1
    return { x, y, normalX: (nextY - y) / length, normalY: -(nextX - x) / length }
  })
  const xs = corners.map(([x]) => x)
  const ys = corners.map(([, y]) => y)
  return {
    bounds: [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)],
    distance: (px, py) => Math.max(...edges.map((edge) => (px - edge.x) * edge.normalX + (py - edge.y) * edge.normalY)),
  }
}

export function mix(from: Colour, to: Colour, share: number): Colour {
  const part = Math.min(1, Math.max(0, share))
  return [from[0] + (to[0] - from[0]) * part, from[1] + (to[1] - from[1]) * part, from[2] + (to[2] - from[2]) * part]
}

export function shade(colour: Colour, factor: number): Colour {
  return [colour[0] * factor, colour[1] * factor, colour[2] * factor]
}
