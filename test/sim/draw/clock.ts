import { box, type Canvas, limb } from './canvas.ts'

// Seven segments: top, upper right, lower right, bottom, lower left, upper left, middle.
const segments: Readonly<Record<string, string>> = {
  0: 'abcdef',
  1: 'bc',
  2: 'abged',
  3: 'abgcd',
  4: 'fgbc',
  5: 'afgcd',
  6: 'afgedc',
  7: 'abc',
  8: 'abcdefg',
  9: 'abcdfg',
}

/** Scene time as `mm:ss.hh` (hundredths). */
export function clockText(ms: number): string {
  const two = (value: number) => String(Math.floor(value)).padStart(2, '0')
  return `${two(ms / 60_000)}:${two((ms / 1000) % 60)}.${two((ms / 10) % 100)}`
}

/** Paints a clock as cameras lay it over their picture: light digits on a dark plate. */
export function paintClock(canvas: Canvas, x: number, y: number, text: string): void {
  const [width, height, gap] = [18, 34, 10]
  canvas.fill(box(x, y, 212, height + 20, 6), [12, 14, 18])
  let left = x + 14
  for (const character of text) {
    if (character === ':' || character === '.') {
      const dots = character === ':' ? [0.3, 0.72] : [1]
      for (const dot of dots)
        canvas.fill(limb(left, y + 10 + height * dot, left, y + 10 + height * dot, 2.4, 2.4), [240, 240, 232])
      left += gap
      continue
    }
    const middle = y + 10 + height / 2
    const [top, bottom, right] = [y + 10, y + 10 + height, left + width]
    const lines: Readonly<Record<string, readonly [number, number, number, number]>> = {
      a: [left, top, right, top],
      b: [right, top, right, middle],
      c: [right, middle, right, bottom],
      d: [left, bottom, right, bottom],
      e: [left, middle, left, bottom],
      f: [left, top, left, middle],
      g: [left, middle, right, middle],
    }
    for (const name of segments[character] ?? '') canvas.fill(limb(...lines[name]!, 2.2, 2.2), [240, 240, 232])
    left += width + gap
  }
}
