import { readFileSync } from 'node:fs'
import { type Layer, LayerChoice } from '@porchlight/proto/media/congestion/layer-choice.ts'
import { LinkEstimate } from '@porchlight/proto/media/congestion/link-estimate.ts'
import { describe, expect, test } from 'vitest'
import { type Trace, tickUs } from '../../../../support/trace/trace.ts'

/** Recorded by test/support/trace/record.ts, which says how. */
const read = (name: string) =>
  JSON.parse(readFileSync(new URL(`traces/${name}.json`, import.meta.url), 'utf8')) as Trace

/** What would have been decided of a 2 Mbit/s camera. Times from the first packet, ms; rates bit/s. */
function replay(trace: Trace) {
  const estimate = new LinkEstimate()
  const choice = new LayerChoice()
  const steps: { atMs: number; rate: number; layer: Layer; queueMs: number }[] = []
  let nowMs = 0
  for (const [kind, ms, first, values] of trace.events) {
    nowMs += ms
    if (kind === 's') {
      values.forEach((bytes, index) => {
        estimate.sent((first + index) & 0xffff, bytes, nowMs)
      })
    } else hear(first, values)
    const { rate, probing, queueMs } = estimate
    const layer = choice.decide({ nowMs, rate, probing, main: 250 })
    steps.push({ atMs: nowMs, rate: rate * 8_000, layer, queueMs })
  }
  return steps

  function hear(first: number, values: readonly (number | null)[]): void {
    const arrivals = values.map((ticks, index) => ({
      sequence: (first + index) & 0xffff,
      atUs: ticks === null ? undefined : ticks * tickUs,
    }))
    estimate.feedback({ type: 'twcc', sender: 1, media: 1, feedback: 0, arrivals }, nowMs)
  }
}

describe('recorded from Chromium', () => {
  test('a link of 3 Mbit/s that becomes one of 400 kbit/s: the main layer is left within 1.5 s, and not before', () => {
    const steps = replay(read('thin'))
    const left = steps.find(({ layer }) => layer === 'sub')!
    expect(left.atMs).toBeGreaterThan(6_000)
    expect(left.atMs).toBeLessThan(7_800)
    const thin = steps.filter(({ atMs }) => atMs > left.atMs && atMs < 11_500)
    expect(Math.max(...thin.map(({ rate }) => rate))).toBeLessThan(600_000)
    const before = steps.filter(({ atMs }) => atMs > 2_000 && atMs < 5_500)
    expect(Math.min(...before.map(({ rate }) => rate))).toBeGreaterThan(2_000_000)
  })

  test('a good link on a busy machine where Chromium stands still again and again: the main layer stays', () => {
    const steps = replay(read('stalls'))
    expect(steps.at(-1)!.atMs).toBeGreaterThan(10_000)
    expect(steps.filter(({ layer }) => layer === 'sub')).toEqual([])
    expect(steps.at(-1)!.rate).toBeGreaterThan(4_000_000)
  })
})
