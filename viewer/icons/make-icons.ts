/** Makes the app's icons: `node viewer/icons/make-icons.ts`. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { badgeShapes, cornerRadius, glow, night, type Shape, shapes, size } from './drawing.ts'
import { writePng } from './png.ts'

/** Samples per pixel and axis: smooth edges. */
const samples = 4
const folder = fileURLToPath(new URL('../public/icons/', import.meta.url))

interface Look {
  /** Radius of the corners, in units of the drawing; 0 fills the square. */
  corner: number
  /** Share of the square that the lamp takes: a maskable icon keeps to the inner 80 %. */
  scale: number
  background: boolean
  shapes: readonly Shape[]
}

const app: Look = { corner: cornerRadius, scale: 1, background: true, shapes }
const icons: [name: string, pixels: number, look: Look][] = [
  ['icon-192.png', 192, app],
  ['icon-512.png', 512, app],
  ['icon-180.png', 180, { ...app, corner: 0 }],
  ['icon-maskable-512.png', 512, { ...app, corner: 0, scale: 0.8 }],
  ['badge-96.png', 96, { corner: 0, scale: 1.15, background: false, shapes: badgeShapes }],
]

mkdirSync(folder, { recursive: true })
for (const [name, pixels, look] of icons) writeFileSync(folder + name, writePng(pixels, draw(pixels, look)))
writeFileSync(`${folder}icon.svg`, svg())

function svg(): string {
  const polygons = shapes.map(({ points, fill }) => `<polygon points="${points.join(' ')}" fill="${fill}"/>`).join('')
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size} ${size}"><title>Porchlight</title><defs><radialGradient id="g" gradientUnits="userSpaceOnUse" cx="${glow.x}" cy="${glow.y}" r="${glow.radius}"><stop offset="0" stop-color="${glow.colour}" stop-opacity=".62"/><stop offset="1" stop-color="${glow.colour}" stop-opacity="0"/></radialGradient></defs><rect width="${size}" height="${size}" rx="${cornerRadius}" fill="${night}"/><rect width="${size}" height="${size}" rx="${cornerRadius}" fill="url(#g)"/>${polygons}</svg>\n`
}

/** RGBA, row by row. */
function draw(pixels: number, look: Look): Uint8Array {
  const image = new Uint8Array(pixels * pixels * 4)
  for (let y = 0; y < pixels; y++)
    for (let x = 0; x < pixels; x++) {
      const sum = [0, 0, 0, 0]
      for (let s = 0; s < samples * samples; s++) {
        const px = ((x + ((s % samples) + 0.5) / samples) / pixels) * size
        const py = ((y + (Math.floor(s / samples) + 0.5) / samples) / pixels) * size
        const [r, g, b, a] = colourAt(px, py, look)
        sum[0]! += r * a
        sum[1]! += g * a
        sum[2]! += b * a
        sum[3]! += a
      }
      const alpha = sum[3]!
      const at = (y * pixels + x) * 4
      for (let c = 0; c < 3; c++) image[at + c] = alpha === 0 ? 0 : Math.round(sum[c]! / alpha)
      image[at + 3] = Math.round((alpha / (samples * samples)) * 255)
    }
  return image
}

/** Colour and opacity (0–1) at a point of the drawing. */
function colourAt(x: number, y: number, look: Look): [r: number, g: number, b: number, a: number] {
  if (look.corner > 0 && outsideCorner(x, y, look.corner)) return [0, 0, 0, 0]
  const lx = (x - size / 2) / look.scale + size / 2
  const ly = (y - size / 2) / look.scale + size / 2
  for (const shape of [...look.shapes].reverse()) if (inside(lx, ly, shape.points)) return [...rgb(shape.fill), 1]
  if (!look.background) return [0, 0, 0, 0]
  const near = Math.max(0, 1 - Math.hypot(lx - glow.x, ly - glow.y) / glow.radius) * 0.62
  const [from, to] = [rgb(night), rgb(glow.colour)]
  return [mix(from[0], to[0], near), mix(from[1], to[1], near), mix(from[2], to[2], near), 1]
}

function outsideCorner(x: number, y: number, radius: number): boolean {
  const dx = Math.max(radius - x, x - (size - radius), 0)
  const dy = Math.max(radius - y, y - (size - radius), 0)
  return Math.hypot(dx, dy) > radius
}

/** Even-odd rule. */
function inside(x: number, y: number, points: Shape['points']): boolean {
  let odd = false
  for (const [i, [x1, y1]] of points.entries()) {
    const [x2, y2] = points[(i + 1) % points.length]!
    if (y1 > y !== y2 > y && x < ((x2 - x1) * (y - y1)) / (y2 - y1) + x1) odd = !odd
  }
  return odd
}

function mix(from: number, to: number, share: number): number {
  return from + (to - from) * share
}

function rgb(hex: string): [number, number, number] {
  return [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16)) as [number, number, number]
}
