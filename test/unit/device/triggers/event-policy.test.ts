import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  decide,
  type EventInput,
  type EventOutput,
  nextTick,
  noEvents,
} from '../../../../device/triggers/event-policy.ts'

const limits = { ringHoldMs: 10_000, activeEveryMs: 3_000, motionQuietMs: 30_000 }

function play(inputs: EventInput[]): string[] {
  let state = noEvents
  const told: EventOutput[] = []
  for (const input of inputs) {
    const step = decide(state, input, limits)
    state = step.state
    told.push(...step.tell)
  }
  return told.map(({ kind, phase, at }) => `${kind} ${phase} ${at}`)
}

/** Lets the clock run: a tick whenever one is wanted, between the inputs and until all is over. */
function live(inputs: EventInput[]): string[] {
  let state = noEvents
  const told: EventOutput[] = []
  const put = (input: EventInput) => {
    const step = decide(state, input, limits)
    state = step.state
    told.push(...step.tell)
  }
  for (const input of [...inputs, undefined]) {
    for (let next = nextTick(state, limits); next !== undefined && next <= (input?.at ?? Infinity); ) {
      put({ type: 'tick', at: next })
      next = nextTick(state, limits)
    }
    if (input) put(input)
  }
  return told.map(({ kind, phase, at }) => `${kind} ${phase} ${at}`)
}

describe('event policy', () => {
  it('a ring begins, gives signs of life and ends by itself', () => {
    expect(live([{ type: 'ring', at: 0 }])).toEqual([
      'ring begin 0',
      'ring active 3000',
      'ring active 6000',
      'ring active 9000',
      'ring end 10000',
    ])
  })

  it('another press within the hold belongs to the same ring', () => {
    const told = live([
      { type: 'ring', at: 0 },
      { type: 'ring', at: 8_000 },
    ])
    expect(told.filter((line) => line.includes('begin'))).toHaveLength(1)
    expect(told.at(-1)).toBe('ring end 18000')
  })

  it('motion and ring are events of their own', () => {
    expect(
      play([
        { type: 'motion-begin', at: 0 },
        { type: 'ring', at: 1 },
        { type: 'motion-end', at: 2 },
        { type: 'tick', at: 10_001 },
      ]),
    ).toEqual(['motion begin 0', 'ring begin 1', 'motion end 2', 'ring end 10001'])
  })

  it('a sign of life every three seconds, however often the detector speaks', () => {
    const signs = Array.from({ length: 50 }, (_, index): EventInput => ({ type: 'motion-active', at: 200 * index }))
    expect(play(signs)).toEqual(['motion begin 0', 'motion active 3000', 'motion active 6000', 'motion active 9000'])
  })

  it('motion that never says its end has ended after the quiet time', () => {
    expect(live([{ type: 'motion-begin', at: 0 }]).at(-1)).toBe('motion end 30000')
  })

  it('a lost detector ends motion and not the ring', () => {
    const told = play([
      { type: 'ring', at: 0 },
      { type: 'motion-begin', at: 0 },
      { type: 'motion-lost', at: 5 },
    ])
    expect(told.at(-1)).toBe('motion end 5')
  })

  it('an end without a begin is nothing', () => {
    expect(
      play([
        { type: 'motion-end', at: 5 },
        { type: 'tick', at: 9 },
      ]),
    ).toEqual([])
  })

  it('whatever comes, each kind alternates between begin and end', () => {
    const type = fc.constantFrom<EventInput['type']>(
      'ring',
      'motion-begin',
      'motion-active',
      'motion-end',
      'motion-lost',
      'tick',
    )
    fc.assert(
      fc.property(fc.array(fc.tuple(type, fc.integer({ min: 0, max: 20_000 })), { maxLength: 60 }), (steps) => {
        let at = 0
        const inputs = steps.map(([kind, after]): EventInput => {
          at += after
          return { type: kind, at }
        })
        const told = live(inputs)
        for (const kind of ['ring', 'motion']) {
          const phases = told.filter((line) => line.startsWith(kind)).map((line) => line.split(' ')[1])
          let open = false
          for (const phase of phases) {
            expect(phase === 'begin').toBe(!open)
            open = phase !== 'end'
          }
          expect(open).toBe(false)
        }
      }),
    )
  })
})
