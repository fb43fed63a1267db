import { describe, expect, it } from 'vitest'
import { dialCamera } from '../../../support/dial-camera.ts'
import { backchannelLines, interleave, packet, sdpOf, slice, videoLines } from '../../../support/scripted-camera.ts'

describe('Backchannel', () => {
  const sdp = sdpOf(...videoLines, ...backchannelLines)
  const always = { backchannel: 'always' } as const

  it('is asked for by Require, set up before PLAY, and talks without another session', async () => {
    const { camera, open, source } = await dialCamera({ sdp }, always)
    await open()
    expect(camera.of('DESCRIBE')[0]!.header('require')).toBe('www.onvif.org/ver20/backchannel')
    const order = camera.asked.map(({ method, uri }) => `${method} ${uri.split('/').at(-1)}`)
    expect(order.slice(-3)).toEqual(['SETUP track1', 'SETUP track3', 'PLAY stream'])
    expect(source.talk).toMatchObject({ codec: 'pcma', clockRate: 8000 })
    source.talk!.send(new Uint8Array(160), 0)
    source.talk!.send(new Uint8Array(1500), 160)
    camera.send(interleave(0, packet(9, 99_000, true, slice)))
    await source.close() // what was sent before TEARDOWN is there when that is answered
    const sizes = camera.heard.filter(({ channel }) => channel === 2).map(({ data }) => data.length - 12)
    expect(sizes).toEqual([160, 1024, 476])
    expect(camera.connections).toBe(1)
  })

  it.each([
    ['551', { status: 551, body: '' }],
    ['400', { status: 400, body: '' }],
    ['a hang-up', { hangUp: true }],
  ])('refused with %s: asked again without', async (_, refusal) => {
    const { camera, open, source } = await dialCamera(
      { answer: ({ method, header }) => (method === 'DESCRIBE' && header('require') ? refusal : undefined) },
      always,
    )
    await open()
    expect(camera.of('DESCRIBE').map((asked) => asked.header('require') !== undefined)).toEqual([true, false])
    expect(source.talk).toBeUndefined()
  })

  it('refused at SETUP: the picture comes all the same', async () => {
    const { collector, open, source } = await dialCamera(
      {
        sdp,
        answer: ({ method, uri }) => (method === 'SETUP' && uri.endsWith('track3') ? { status: 453 } : undefined),
      },
      always,
    )
    await open()
    await collector.when(() => collector.units.length === 1)
    expect(source.talk).toBeUndefined()
  })

  it('on-talk: opened over a second session by the first word, and given back', async () => {
    const { camera, open, source } = await dialCamera({ sdp }, { backchannel: 'on-talk' })
    await open()
    expect(camera.of('SETUP')).toHaveLength(1)
    expect(source.talk).toMatchObject({ codec: 'pcma' })
    for (let index = 0; index < 5; index += 1) source.talk!.send(new Uint8Array(160), index * 160)
    await expect.poll(() => camera.heard.filter(({ channel }) => channel === 0).length).toBe(5)
    expect(camera.connections).toBe(2)
    expect(camera.of('SETUP').at(-1)!.uri).toContain('track3')
    await source.close()
    expect(camera.of('TEARDOWN')).toHaveLength(2)
  })
})
