import { afterEach, expect, test, vi } from 'vitest'
import { requestStream } from '../../../../viewer/src/api/request-stream.ts'
import { GroupStream } from '../../../../viewer/src/playback/group-stream.ts'

afterEach(() => vi.unstubAllGlobals())

/** A gateway whose one answer goes on and on. */
function endlessAnswer() {
  const cancelled = vi.fn()
  const asked: AbortSignal[] = []
  const body = new ReadableStream<Uint8Array>({
    pull: (answer) => answer.enqueue(new Uint8Array(8)),
    cancel: cancelled,
  })
  vi.stubGlobal('fetch', async (_path: string, { signal }: { signal: AbortSignal }) => {
    asked.push(signal)
    return new Response(body, { headers: { 'recorded-from': '1000', 'recorded-to': '2000' } })
  })
  return { asked, cancelled }
}

test('an answer whose bytes find no room is not left open', async () => {
  const { cancelled } = endlessAnswer()
  const { chunks } = await requestStream('/clip', { signal: new AbortController().signal })
  const reading = async () => {
    for await (const _chunk of chunks()) throw new Error('no room')
  }
  await expect(reading()).rejects.toThrow('no room')
  expect(cancelled).toHaveBeenCalledOnce()
})

test('an answer in a codec that the browser does not play is not left open', async () => {
  const { asked } = endlessAnswer()
  // there is no media source here at all
  const stream = new GroupStream(new EventTarget() as HTMLVideoElement, 'door', { ended: vi.fn(), failed: vi.fn() })
  await expect(stream.show(1_000, new AbortController().signal)).rejects.toMatchObject({ code: 'codec_unsupported' })
  expect(asked.map(({ aborted }) => aborted)).toEqual([true])
})
