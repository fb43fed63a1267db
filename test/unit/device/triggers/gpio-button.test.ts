import { describe, expect, it } from 'vitest'
import { Debounce, gpiodMajorVersion, gpiomonArguments, parseEdge } from '../../../../device/triggers/gpio-button.ts'

const button = { chip: 'gpiochip0', line: 17, activeLow: true, debounceMs: 50 }

describe('gpiomon', () => {
  it('of libgpiod 1', () => {
    expect(gpiomonArguments(button, 1)).toEqual([
      '--line-buffered',
      '--bias=pull-up',
      '--active-low',
      '--format=%e',
      'gpiochip0',
      '17',
    ])
  })

  it('of libgpiod 2', () => {
    expect(gpiomonArguments({ ...button, activeLow: false }, 2).join(' ')).toBe(
      '--edges both --bias pull-down --debounce-period 50ms --format %E --chip gpiochip0 17',
    )
  })

  it.each([
    ['gpiomon (libgpiod) v1.6.3\nCopyright', 1],
    ['gpiomon (libgpiod) v2.2', 2],
    ['gpiomon (libgpiod) 2.1.3', 2],
    ['something else', undefined],
  ])('%s', (text, major) => expect(gpiodMajorVersion(text)).toBe(major))

  it.each([
    ['1', 'rising'],
    ['0', 'falling'],
    ['rising ', 'rising'],
    ['falling', 'falling'],
    ['', undefined],
    ['banner', undefined],
  ])('line %j', (line, edge) => expect(parseEdge(line)).toBe(edge))
})

describe('Debounce', () => {
  it('counts a bouncing press once, and the bouncing release not at all', () => {
    const debounce = new Debounce(50)
    const edges: ['rising' | 'falling', number][] = [
      ['rising', 1_000],
      ['falling', 1_004],
      ['rising', 1_009],
      ['falling', 1_400],
      ['rising', 1_403],
      ['falling', 1_405],
      ['rising', 2_000],
    ]
    expect(edges.filter(([edge, at]) => debounce.isPress(edge, at)).map(([, at]) => at)).toEqual([1_000, 2_000])
  })
})
