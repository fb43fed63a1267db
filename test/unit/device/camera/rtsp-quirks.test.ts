import { describe, expect, it, onTestFinished } from 'vitest'
import type { RtspSourceOptions } from '../../../../device/camera/rtsp-source.ts'
import { dialCamera } from '../../../support/dial-camera.ts'
import {
  idr,
  interleave,
  keyframe,
  packet,
  pps,
  type Script,
  ScriptedCamera,
  sdpOf,
  slice,
  sps,
  videoLines,
} from '../../../support/scripted-camera.ts'

const interleaved = (packets: readonly Uint8Array[], channel = 0) => packets.map((one) => interleave(channel, one))
const description = (body: string, ...headers: [string, string][]) => ({ body, headers })

describe('URLs', () => {
  const setupUri = async (control: string, headers: [string, string][] = [], path = '') => {
    const sdp = sdpOf(...videoLines.slice(0, 2), `a=control:${control}`)
    const script: Script = {
      answer: ({ method }) => (method === 'DESCRIBE' ? description(sdp, ...headers) : undefined),
    }
    const camera = await new ScriptedCamera(script).listen()
    onTestFinished(() => camera.close())
    const { source, open } = await dialCamera({}, { url: camera.url + path })
    onTestFinished(() => source.close())
    await open()
    return camera.of('SETUP')[0]!.uri.replace(camera.url, 'URL')
  }

  it('control attributes: relative, absolute, `*`, behind the query, doubled scheme', async () => {
    expect(await setupUri('track1')).toBe('URL/track1')
    expect(await setupUri('*')).toBe('URL')
    expect(await setupUri('rtsp://10.0.0.9/other/track1')).toBe('rtsp://10.0.0.9/other/track1')
    expect(await setupUri('rtsp://rtsp://10.0.0.9/track1')).toBe('rtsp://10.0.0.9/track1')
    expect(await setupUri('trackID=0', [], '?channel=1&subtype=0')).toBe('URL?channel=1&subtype=0/trackID=0')
  })

  it('Content-Base: of another host, relative, empty', async () => {
    expect(await setupUri('track1', [['Content-Base', 'rtsp://0.0.0.0:554/stream/']])).toBe('URL/track1')
    expect(await setupUri('track1', [['Content-Base', '/stream/']])).toBe('URL/track1')
    expect(await setupUri('track1', [['Content-Base', '']])).toBe('URL/track1')
    // unbracketed IPv6, seen in ONVIF answers
    expect(await setupUri('track1', [['Content-Base', 'rtsp://::ffff:10.0.0.9/stream/']])).toBe('URL/track1')
  })

  it('Content-Base: wrong; asked again relative to the address that was dialled', async () => {
    const { camera, open } = await dialCamera({
      answer: ({ method, uri }) => {
        if (method === 'DESCRIBE') return { headers: [['Content-Base', 'rtsp://127.0.0.1/wrong/']] }
        return method === 'SETUP' && uri.includes('/wrong/') ? { status: 404 } : undefined
      },
    })
    await open()
    expect(camera.of('SETUP').map(({ uri }) => uri.includes('/wrong/'))).toEqual([true, false])
  })

  it.each([301, 302])('redirects (%i) to another place', async (status) => {
    const target = await new ScriptedCamera().listen()
    onTestFinished(() => target.close())
    const { collector, open } = await dialCamera({
      answer: ({ method }) =>
        method === 'DESCRIBE' ? { status, headers: [['Location', target.url]], body: '' } : undefined,
    })
    await open()
    await collector.when(() => collector.units.length === 1)
    expect(target.of('PLAY')).toHaveLength(1)
  })

  it('redirects without end are given up', async () => {
    const { open } = await dialCamera({
      answer: ({ method }, _, camera) =>
        method === 'DESCRIBE' ? { status: 302, headers: [['Location', camera.url]], body: '' } : undefined,
    })
    await expect(open()).rejects.toMatchObject({ code: 'camera_protocol' })
  })
})

describe('Transport and bytes on the line', () => {
  it('takes other interleaved channels than asked for, in odd case, without ssrc', async () => {
    const { collector, open } = await dialCamera({
      answer: ({ method }) =>
        method === 'SETUP'
          ? {
              headers: [
                ['transport', 'rtp/avp/tcp;UNICAST;Interleaved=4-5;ssrc='],
                ['Session', 'x'],
              ],
            }
          : undefined,
      media: interleaved(keyframe(), 4),
    })
    await open()
    await collector.when(() => collector.units.length === 1)
  })

  it('falls back to TCP where UDP never comes, and remembers', async () => {
    const memory: RtspSourceOptions['memory'] = {}
    const script: Script = {
      answer: ({ method, header }) =>
        method === 'SETUP' && header('transport')?.includes('client_port')
          ? {
              headers: [
                ['Transport', 'RTP/AVP;unicast;client_port=5000-5001;server_port=0-0'],
                ['Session', 'x'],
              ],
            }
          : undefined,
      media: [],
    }
    const { camera, open } = await dialCamera(script, { transport: 'udp', memory, stallMs: 300 })
    // the second try, over TCP, gets no media either in this script: what counts is that it was made
    await expect(open()).rejects.toMatchObject({ code: 'camera_timeout' })
    expect(camera.of('SETUP').map((asked) => asked.header('transport')!.includes('TCP'))).toEqual([false, true])
    expect(camera.of('TEARDOWN')).toHaveLength(2)

    const next = await dialCamera({}, { transport: 'udp', memory: { transport: 'tcp' } })
    await next.open()
    expect(next.camera.of('SETUP').map((asked) => asked.header('transport')!.includes('TCP'))).toEqual([true])
  })

  it('finds its way again after garbage between packets', async () => {
    const garbage = Buffer.from('$$$ no packet $\x00 RT RTSP? $\x07\x00\x10 \x00\x00\x00', 'latin1')
    const media = [interleave(0, keyframe()[0]!), garbage, ...interleaved(keyframe().slice(1)), garbage]
    media.push(interleave(0, packet(4, 93_000, true, slice)))
    const { collector, open } = await dialCamera({ media })
    await open()
    await collector.when(() => collector.units.length === 2)
    expect(collector.units.map((unit) => unit.keyframe)).toEqual([true, false])
  })

  it('finds the next packet inside one whose length is too large (Escam)', async () => {
    const long = interleave(0, packet(4, 93_000, true, slice))
    const wrong = Buffer.from(long)
    wrong.writeUInt16BE(long.length - 4 + 7, 2)
    const media = [...interleaved(keyframe()), wrong]
    for (let index = 0; index < 3; index += 1)
      media.push(interleave(0, packet(5 + index, 96_000 + index * 3_000, true, slice)))
    const { collector, open } = await dialCamera({ media })
    await open()
    await collector.when(() => collector.units.length === 5)
  })

  it('takes answers between media packets, with LF alone and without CSeq', async () => {
    const answer = Buffer.from('RTSP/1.0 200 OK\n\n')
    const media = [...interleaved(keyframe()), answer, interleave(0, packet(4, 93_000, true, slice))]
    const { collector, open } = await dialCamera({ media })
    await open()
    await collector.when(() => collector.units.length === 2)
  })

  it('answers requests of the camera and goes on', async () => {
    const request = Buffer.from('SET_PARAMETER rtsp://c/ RTSP/1.0\r\nCSeq: 7\r\n\r\n')
    const media = [...interleaved(keyframe()), request, interleave(0, packet(4, 93_000, true, slice))]
    const { collector, open } = await dialCamera({ media })
    await open()
    await collector.when(() => collector.units.length === 2)
  })
})

describe('Description', () => {
  const played = async (sdp: string, packets: readonly Uint8Array[] = keyframe()) => {
    const { camera, collector, open } = await dialCamera({ sdp, media: interleaved(packets) })
    await open()
    await collector.when(() => collector.units.length >= 1)
    return { camera, unit: collector.units[0]!, collector }
  }

  it('broken lines, several video lines: the first is taken', async () => {
    const second = ['m=video 0 RTP/AVP 97', 'a=rtpmap:97 H264/90000', 'a=control:track2']
    const { camera } = await played(sdpOf('x', 'a=', '=nothing', 'm=', ...videoLines, 'a=fmtp:', 'b=AS:', ...second))
    expect(camera.of('SETUP').map(({ uri }) => uri.split('/').at(-1))).toEqual(['track1'])
  })

  it('wrong clock rate: H.264 is 90 kHz', async () => {
    const packets = [...keyframe(1, 90_000), packet(4, 99_000, true, slice)]
    const { collector } = await played(sdpOf(...videoLines).replace('H264/90000', 'H264/1'), packets)
    await collector.when(() => collector.units.length === 2)
    expect(Math.abs(collector.units[1]!.captureMs - collector.units[0]!.captureMs - 100)).toBeLessThan(10)
  })

  it.each([
    ['missing', undefined],
    ['empty', ''],
    ['no base64', '!!!,???'],
    ['of another profile', 'Z2QAKKzZQHgCJ+XARAAAAwAEAAADAPA8YMZY,aOvjyyLA'],
  ])('sprop-parameter-sets %s: those of the stream count', async (_, sprop) => {
    const line = sprop === undefined ? [] : [`a=fmtp:96 packetization-mode=1;sprop-parameter-sets=${sprop}`]
    const { unit, collector } = await played(sdpOf(...videoLines, ...line))
    expect(unit.data[0]).toEqual(new Uint8Array(sps))
    expect(collector.formats.at(-1)!.video).toEqual({ codec: 'h264', width: 320, height: 240 })
  })

  it('parameter sets in the description alone are put before the IDR', async () => {
    const sets = `${sps.toString('base64')},${pps.toString('base64')}`
    const { unit } = await played(sdpOf(...videoLines, `a=fmtp:96 sprop-parameter-sets=${sets}`), [
      packet(1, 90_000, true, idr),
    ])
    expect(unit.data.map((nal) => nal[0]! & 0x1f)).toEqual([7, 8, 5])
  })

  it('static payload types without rtpmap', async () => {
    const sdp = sdpOf(...videoLines, 'm=audio 0 RTP/AVP 0', 'a=control:track2')
    const sound = interleave(2, packet(1, 0, true, new Uint8Array(160), 0))
    const { collector, open } = await dialCamera({ sdp, media: [...interleaved(keyframe()), sound] })
    await open()
    await collector.when(() => collector.frames.length === 1)
    expect(collector.frames[0]).toMatchObject({ codec: 'pcmu', samples: 160, clockRate: 8000 })
  })

  it('no video, unknown video, no stream at this address', async () => {
    const code = async (script: Script) =>
      (await dialCamera(script)).open().then(
        () => 'none',
        (error) => error.code,
      )
    expect(await code({ sdp: sdpOf('m=audio 0 RTP/AVP 0', 'a=control:a') })).toBe('camera_no_video')
    expect(await code({ sdp: sdpOf('m=video 0 RTP/AVP 26', 'a=control:v') })).toBe('camera_codec')
    expect(await code({ answer: ({ method }) => (method === 'DESCRIBE' ? { status: 404 } : undefined) })).toBe(
      'camera_no_video',
    )
    expect(await code({ answer: ({ method }) => (method === 'DESCRIBE' ? { status: 500 } : undefined) })).toBe(
      'camera_protocol',
    )
  })
})

describe('A camera that ends or hangs', () => {
  it('stops sending: camera_timeout', async () => {
    const { open, source } = await dialCamera({}, { stallMs: 200 })
    await open()
    expect((await source.ended)?.code).toBe('camera_timeout')
  })

  it('ends the session by itself (battery cameras): camera_unreachable', async () => {
    const { open, source, camera } = await dialCamera({})
    await open()
    camera.send(Buffer.from('TEARDOWN rtsp://c/ RTSP/1.0\r\nCSeq: 1\r\n\r\n'))
    expect((await source.ended)?.code).toBe('camera_unreachable')
  })

  it('is told goodbye, so that a single-client camera has room again', async () => {
    const { open, source, camera } = await dialCamera({})
    await open()
    await source.close()
    await source.close()
    expect(camera.of('TEARDOWN')).toHaveLength(1)
    expect(await source.ended).toBeUndefined()
  })

  it('never answers TEARDOWN: closed after half a second', async () => {
    const { open, source } = await dialCamera({
      answer: ({ method }) => (method === 'TEARDOWN' ? { silent: true } : undefined),
    })
    await open()
    await source.close()
  })
})
