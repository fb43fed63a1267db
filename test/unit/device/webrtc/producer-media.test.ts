import { parseRtcp, writeRtcp } from '@porchlight/proto/media/rtcp.ts'
import { isRtcp, parseRtp } from '@porchlight/proto/media/rtp.ts'
import { readFrameNumber, transportCcId } from '@porchlight/proto/media/rtp-extensions.ts'
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { ProducerMedia } from '../../../../device/webrtc/producer-media.ts'
import { slices } from './slices.ts'

const codec = { payloadType: 96, rtpmap: 'H264/90000' }

function setup(startRate?: number) {
  const sent: { mid: string; packet: Uint8Array }[] = []
  const wanted: string[] = []
  const dropped: [number, number][] = []
  const media = new ProducerMedia({
    video: { codec, ssrc: 11 },
    sub: { codec, ssrc: 22 },
    audio: undefined,
    send: (mid, packet) => sent.push({ mid, packet: packet.slice() }) > 0,
    on: {
      firstFrame: () => undefined,
      keyframeWanted: (layer) => wanted.push(layer),
      silent: () => undefined,
      dropped: (from, to) => dropped.push([from, to]),
    },
    now: () => 2_000_000,
    random: () => 0.25,
    ...(startRate === undefined ? {} : { startRate }),
  })
  onTestFinished(() => media.close())
  const rtp = () => sent.flatMap(({ mid, packet }) => (isRtcp(packet) ? [] : [{ mid, ...parseRtp(packet)! }]))
  return { media, sent, wanted, dropped, rtp }
}

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

test('the small layer goes on a line, a source and numbers of its own', () => {
  const { media, rtp } = setup()
  const [key, next] = slices({ count: 2 })
  media.accessUnit(key!)
  media.accessUnit({ ...key!, frame: 900 }, 'sub')
  media.accessUnit(next!)
  media.accessUnit({ ...next!, frame: 901 }, 'sub')
  const of = (mid: string) => rtp().filter((packet) => packet.mid === mid)
  expect(of('v').every(({ ssrc }) => ssrc === 11)).toBe(true)
  expect(of('s').every(({ ssrc }) => ssrc === 22)).toBe(true)
  expect([...new Set(of('s').map(({ extensions }) => readFrameNumber(extensions)))]).toEqual([900, 901])
  expect(of('s').at(-1)!.sequence - of('s')[0]!.sequence).toBe(of('s').length - 1)
})

test('on a thin uplink the small layer goes ahead of what waits of the main one', async () => {
  const { media, rtp } = setup(80_000)
  const [key] = slices({ count: 1, bytes: 60_000 })
  media.accessUnit(key!)
  const before = rtp().length
  media.accessUnit({ ...key!, frame: 900, data: [key!.data[0]!.subarray(0, 500)] }, 'sub')
  await vi.advanceTimersByTimeAsync(300)
  expect(rtp()[before]!.mid).toBe('s')
})

test('each layer asks for its own keyframe and sends its own packets again', async () => {
  const { media, rtp, wanted, dropped } = setup()
  const [key] = slices({ count: 1 })
  media.accessUnit(key!)
  media.accessUnit({ ...key!, frame: 900 }, 'sub')
  media.rtcp(writeRtcp([{ type: 'pli', sender: 1, media: 22 }]))
  media.rtcp(writeRtcp([{ type: 'fir', sender: 1, requests: [{ ssrc: 11, sequence: 1 }] }]))
  expect(wanted).toEqual(['sub', 'main'])
  const lost = rtp().find(({ mid }) => mid === 's')!
  await vi.advanceTimersByTimeAsync(50)
  media.rtcp(writeRtcp([{ type: 'nack', sender: 1, media: 22, lost: [lost.sequence] }]))
  expect(rtp().at(-1)).toMatchObject({ mid: 's', ssrc: 22, sequence: lost.sequence })
  // Footage is of the main layer alone.
  media.accessUnit({ ...key!, frame: 901, keyframe: false, reference: false }, 'sub')
  media.accessUnit({ ...key!, frame: 902 }, 'sub')
  expect(dropped).toEqual([])
})

test('what is sent under one number is the same each time, and the transport-wide numbers go on without a hole', async () => {
  const { media, sent } = setup()
  const units = slices({ count: 3 })
  media.accessUnit(units[0]!)
  const first = sent[0]!.packet
  for (const unit of units.slice(1)) {
    await vi.advanceTimersByTimeAsync(50)
    media.rtcp(writeRtcp([{ type: 'nack', sender: 1, media: 11, lost: [parseRtp(first)!.sequence] }]))
    media.accessUnit(unit)
  }
  expect(sent.filter(({ packet }) => Buffer.from(packet).equals(first))).toHaveLength(3)
  const numbers = sent.map(({ packet }) => {
    const { data } = parseRtp(packet)!.extensions.find(({ id }) => id === transportCcId)!
    return Buffer.from(data).readUInt16BE()
  })
  const distinct = [...new Set(numbers)]
  expect(distinct).toEqual(distinct.map((_, index) => numbers[0]! + index))
})

test('sender reports name every layer', async () => {
  const { media, sent } = setup()
  const [key] = slices({ count: 1 })
  media.accessUnit(key!)
  media.accessUnit({ ...key!, frame: 900 }, 'sub')
  await vi.advanceTimersByTimeAsync(1_100)
  const reports = sent.filter(({ packet }) => isRtcp(packet)).flatMap(({ packet }) => parseRtcp(packet))
  expect(reports.flatMap((packet) => (packet.type === 'sr' ? [packet.ssrc] : []))).toEqual([11, 22])
})
