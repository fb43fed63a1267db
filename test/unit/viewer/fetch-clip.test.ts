import { createHash } from 'node:crypto'
import { PorchlightError } from '@porchlight/proto/errors.ts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { StreamedAnswer } from '../../../viewer/src/api/request-stream.ts'
import { fetchClip, largestBytes } from '../../../viewer/src/earlier/fetch-clip.ts'

interface State {
  bytes: Uint8Array<ArrayBuffer>
  etag: string
}

/** A gateway whose answers break off, and whose recording may change. */
class ScriptedGateway {
  state: State
  readonly asked: Record<string, string>[] = []
  readonly waits: number[] = []
  /** After how many bytes each answer breaks off; undefined: it does not. */
  breaks: (number | undefined)[] = []
  damages = 0
  changed: State | undefined
  /** How many bytes it says it sends, where that is not so. */
  claims: number | undefined

  constructor(state: State) {
    this.state = state
  }

  fetch(signal = new AbortController().signal, progress: (share: number) => void = () => undefined) {
    return fetchClip(
      'clip.mp4',
      { signal, progress },
      { ask: (_path, { headers = {} }) => this.#answer(headers), wait: (ms) => this.#wait(ms), random: () => 0.5 },
    )
  }

  async #wait(ms: number): Promise<void> {
    this.waits.push(ms)
  }

  async #answer(headers: Record<string, string>): Promise<StreamedAnswer> {
    this.asked.push(headers)
    const { bytes, etag } = this.state
    const from = headers['if-range'] === etag ? Number(/bytes=(\d+)-/.exec(headers.range ?? '')?.[1] ?? 0) : 0
    const digest = createHash('sha256').update(bytes).digest('base64')
    const sent = bytes.slice(from)
    if (this.damages > 0 && sent.length > 0) {
      this.damages -= 1
      sent[0]! ^= 1
    }
    const breaksAfter = this.breaks.shift()
    if (this.changed) this.state = this.changed
    this.changed = undefined
    return {
      status: from > 0 ? 206 : 200,
      headers: new Headers({
        ...{ etag, 'content-length': String(this.claims ?? bytes.length - from), 'repr-digest': `sha-256=:${digest}:` },
        ...(from > 0 && { 'content-range': `bytes ${from}-${bytes.length - 1}/${bytes.length}` }),
      }),
      cancel: () => undefined,
      async *chunks() {
        const end = Math.min(sent.length, breaksAfter ?? sent.length)
        for (let at = 0; at < end; at += 7) yield sent.slice(at, Math.min(end, at + 7))
        if (breaksAfter !== undefined) throw new PorchlightError('gateway_unreachable')
      },
    }
  }
}

const state = (size: number, seed: number, etag = `"${seed}"`): State => ({
  bytes: Uint8Array.from({ length: size }, (_, at) => (at * 31 + seed) & 255),
  etag,
})
const bytesOf = async (clip: Blob | undefined) => Buffer.from(await clip!.arrayBuffer())

test('wherever it breaks off, it goes on there, and is byte for byte what was asked for', async () => {
  const breaks = fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 12 })
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 300 }), breaks, async (size, cuts) => {
      const gateway = new ScriptedGateway(state(size, 1))
      gateway.breaks = [...cuts]
      const shares: number[] = []
      const clip = await gateway.fetch(undefined, (share) => shares.push(share))
      expect((await bytesOf(clip)).equals(gateway.state.bytes)).toBe(true)
      expect(shares).toEqual(shares.toSorted((a, b) => a - b))
      expect(shares.at(-1)).toBe(1)
      for (const { range, 'if-range': ifRange } of gateway.asked.slice(1)) {
        expect(range).toMatch(/^bytes=\d+-$/)
        expect(ifRange).toBe('"1"')
      }
    }),
    { numRuns: 50 },
  )
})

test('what changed while it was broken off is fetched anew, and nothing of the old is in it', async () => {
  const gateway = new ScriptedGateway(state(100, 1))
  gateway.breaks = [50]
  gateway.changed = state(90, 2)
  expect((await bytesOf(await gateway.fetch())).equals(gateway.state.bytes)).toBe(true)
  expect(gateway.asked).toHaveLength(2)
})

test('what was damaged on the way is fetched once more; damaged again, that is said', async () => {
  const gateway = new ScriptedGateway(state(100, 1))
  gateway.damages = 1
  expect((await bytesOf(await gateway.fetch())).equals(gateway.state.bytes)).toBe(true)
  gateway.damages = 2
  await expect(gateway.fetch()).rejects.toMatchObject({ code: 'download_damaged' })
})

test('it gives up when nothing comes any more, and waits longer each time', async () => {
  const gateway = new ScriptedGateway(state(100, 1))
  gateway.breaks = [20, ...new Array<number>(20).fill(0)]
  await expect(gateway.fetch()).rejects.toMatchObject({ code: 'gateway_unreachable' })
  expect(gateway.waits.length).toBeGreaterThan(3)
  expect(gateway.waits).toEqual(gateway.waits.toSorted((a, b) => a - b))
})

test('a clip that is too large for a page is left to the browser', async () => {
  const gateway = new ScriptedGateway(state(10, 1))
  gateway.claims = largestBytes + 1
  expect(await gateway.fetch()).toBeUndefined()
})
