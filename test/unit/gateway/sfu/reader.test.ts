import type { AccessUnit } from '@porchlight/proto/media/access-unit.ts'
import { parseRtcp } from '@porchlight/proto/media/rtcp.ts'
import { writeRtp } from '@porchlight/proto/media/rtp.ts'
import { writeAbsCaptureTime, writeFrameNumber } from '@porchlight/proto/media/rtp-extensions.ts'
import { expect, onTestFinished, test } from 'vitest'
import type { MediaReader } from '../../../../gateway/sfu/media-reader.ts'
import { Producer } from '../../../../gateway/sfu/producer.ts'
import { Sfu } from '../../../../gateway/sfu/sfu.ts'
import { quietLog } from '../../../support/quiet-log.ts'
import { pps, sps } from '../../../support/scripted-camera.ts'

interface Options {
  frame: number
  payload: Uint8Array
  marker?: boolean
  captureMs?: number
}

/** What the clock of the world says. */
const arrivedAt = 1_700_000_000_000

/** @param layer that sends, beside the main one */
function setUp(numbered = true, sound = false, layer: 'video' | 'sub' = 'video') {
  const clock = { now: 10_000 }
  const asked: Uint8Array[] = []
  const sfu = new Sfu({ now: () => clock.now, log: quietLog })
  const format = {
    kind: 'video',
    codec: 'h264',
    payloadType: 96,
    clockRate: 90_000,
    channels: 1,
    fmtp: '',
    frameNumberId: numbered ? 1 : undefined,
    captureTimeId: numbered ? 2 : undefined,
    transportCcId: undefined,
  } as const
  const producer = new Producer({
    camera: 'house.door',
    run: 'boot-0001',
    video: format,
    sub: layer === 'sub' ? format : undefined,
    audio: sound
      ? {
          ...{ kind: 'audio', codec: 'pcmu', payloadType: 0, clockRate: 8_000, channels: 1, fmtp: '' },
          ...{ frameNumberId: undefined, captureTimeId: undefined, transportCcId: undefined },
        }
      : undefined,
    talk: undefined,
    send: (_, bytes) => asked.push(bytes),
    now: () => clock.now,
    wallNow: () => arrivedAt,
    log: quietLog,
  })
  sfu.publish(producer)
  onTestFinished(() => sfu.close())
  const told: string[] = []
  const units: AccessUnit[] = []
  const reader: MediaReader = {
    format: (run, video, audio) => told.push(`format ${run} ${video?.width}x${video?.height} ${audio?.codec}`),
    accessUnit: (unit) => {
      told.push(`${unit.keyframe ? 'key' : 'frame'} ${unit.frame}`)
      units.push(unit)
    },
    audioFrame: () => told.push('sound'),
    lost: (from, to) => told.push(`lost ${from}-${to}`),
    ended: () => told.push('ended'),
  }
  const send = (sequence: number, { frame, payload, marker = true, captureMs = 0 }: Options) =>
    producer.packet(
      layer,
      writeRtp({
        marker,
        payloadType: 96,
        sequence,
        timestamp: frame * 3_600,
        ssrc: 1,
        extensions: numbered
          ? [
              { id: 1, data: writeFrameNumber(frame) },
              { id: 2, data: writeAbsCaptureTime(captureMs) },
            ]
          : [],
        payload,
      }),
    )
  const key = (sequence: number, frame: number, captureMs = 0) => {
    send(sequence, { frame, payload: sps, marker: false, captureMs })
    send(sequence + 1, { frame, payload: pps, marker: false, captureMs })
    send(sequence + 2, { frame, payload: Uint8Array.of(0x65, 0x88, 1), captureMs })
  }
  const delta = (sequence: number, frame: number) => send(sequence, { frame, payload: Uint8Array.of(0x41, 0x9a, 1) })
  const noise = (sequence: number, payload = new Uint8Array(160)) => {
    const packet = {
      marker: false,
      payloadType: 0,
      sequence,
      timestamp: 160 * sequence,
      ssrc: 2,
      extensions: [],
      payload,
    }
    producer.packet('audio', writeRtp(packet))
  }
  return { sfu, producer, reader, told, units, noise, send, key, delta, clock, asked }
}

test('a reader first gets the kept group of pictures, then what comes, with the camera’s own times', () => {
  const { sfu, reader, told, units, key, delta } = setUp()
  delta(9, 99)
  key(10, 100, 1_700_000_000_123)
  delta(13, 101)
  sfu.read('house.door', reader)
  delta(14, 102)
  expect(told).toEqual(['format boot-0001 320x240 undefined', 'key 100', 'frame 101', 'frame 102'].map(sized(told)))
  expect(units[0]?.captureMs).toBeCloseTo(1_700_000_000_123, 0)
  expect(units[0]?.data).toHaveLength(3)
})

test('a reader of the small layer gets its pictures under a run of their own', () => {
  const { sfu, reader, told, key, delta } = setUp(true, false, 'sub')
  key(10, 100)
  sfu.read('house.door', reader, 'sub')
  delta(13, 101)
  expect(told).toEqual(['format boot-0001.sub 320x240 undefined', 'key 100', 'frame 101'].map(sized(told)))
})

test('where there is no small layer its reader hears so, and nothing of the main one', () => {
  const { sfu, reader, told, key, noise } = setUp(true, true)
  key(10, 100)
  sfu.read('house.door', reader, 'sub')
  noise(1)
  key(13, 101)
  expect(told).toEqual(['format boot-0001.sub undefinedxundefined pcmu'])
})

test('the kept group comes with the sound of its time, each in its place, however long the group is', () => {
  const { sfu, reader, told, key, delta, noise, clock } = setUp(true, true)
  noise(1)
  clock.now += 2_000
  key(10, 100)
  for (const at of [1, 2, 3]) {
    clock.now += 2_000
    noise(1 + at)
    clock.now += 1_000
    delta(12 + at, 100 + at)
  }
  sfu.read('house.door', reader)
  expect(told.slice(1)).toEqual(['key 100', 'sound', 'frame 101', 'sound', 'frame 102', 'sound', 'frame 103'])
  noise(5)
  expect(told.at(-1)).toBe('sound')
})

test('a packet of sound without any, padding with which the link is tried, is not told', () => {
  const { sfu, reader, told, key, noise } = setUp(true, true)
  key(10, 100)
  noise(1)
  sfu.read('house.door', reader)
  noise(2, new Uint8Array())
  noise(3)
  expect(told.slice(1)).toEqual(['key 100', 'sound', 'sound'])
})

/** The size is whatever the parameter sets of the test's camera say. */
function sized(told: readonly string[]): (line: string) => string {
  const size = / (\d+x\d+) /.exec(told[0] ?? '')?.[1] ?? ''
  return (line) => line.replace('320x240', size)
}

test('waits for a repair, and frames stay in order', () => {
  const { sfu, reader, told, key, delta } = setUp()
  sfu.read('house.door', reader)
  key(10, 100)
  delta(14, 102)
  expect(told.slice(1)).toEqual(['key 100'])
  delta(13, 101)
  expect(told.slice(1)).toEqual(['key 100', 'frame 101', 'frame 102'])
})

test('what nobody sends again is asked for, given up, and said to be lost', async () => {
  const { sfu, reader, told, key, delta, clock, asked, producer } = setUp()
  sfu.read('house.door', reader)
  key(10, 100)
  delta(15, 103)
  clock.now += 20
  await expect
    .poll(() => asked.flatMap((bytes) => parseRtcp(bytes)).find(({ type }) => type === 'nack'))
    .toMatchObject({
      media: 1,
      lost: [13, 14],
    })
  clock.now += 2_000
  await expect.poll(() => producer.video?.losses.size).toBe(0)
  delta(16, 104)
  expect(told.slice(1)).toEqual(['key 100', 'lost 101-102', 'frame 103', 'frame 104'])
  expect(asked.flatMap((bytes) => parseRtcp(bytes)).some(({ type }) => type === 'pli')).toBe(true)
})

test('a producer without numbers of its own has its frames counted', () => {
  const { sfu, reader, told, units, key, delta } = setUp(false)
  sfu.read('house.door', reader)
  key(10, 100)
  delta(13, 101)
  delta(14, 102)
  expect(told.slice(1)).toEqual(['key 0', 'frame 1', 'frame 2'])
  // Nobody has said yet when they were captured: when they came stands for it, on the clock of the world.
  expect(units.map(({ captureMs }) => Math.round(captureMs - arrivedAt))).toEqual([0, 40, 80])
})

test('packets of nothing but padding, with which libwebrtc probes, are neither lost nor frames', async () => {
  const { sfu, reader, told, key, delta, send, producer } = setUp(false)
  sfu.read('house.door', reader)
  key(10, 100)
  send(13, { frame: 100, payload: new Uint8Array(), marker: false })
  send(14, { frame: 100, payload: new Uint8Array(), marker: false })
  delta(15, 101)
  delta(16, 102)
  expect(producer.video?.losses.size).toBe(0)
  expect(told.slice(1)).toEqual(['key 0', 'frame 1', 'frame 2'])
})

test('a frame that came again late has the number of its place, whatever the times say', () => {
  const { sfu, reader, told, key, delta } = setUp(false)
  sfu.read('house.door', reader)
  key(10, 100)
  delta(13, 101)
  delta(15, 108)
  expect(told.slice(1)).toEqual(['key 0', 'frame 1'])
  delta(14, 105)
  expect(told.slice(1)).toEqual(['key 0', 'frame 1', 'frame 2', 'frame 3'])
})

test('the end is told; the next producer begins anew', () => {
  const { sfu, reader, told, key, producer } = setUp()
  sfu.read('house.door', reader)
  key(10, 100)
  producer.close()
  expect(told.at(-1)).toBe('ended')
  expect(sfu.producer('house.door')).toBeUndefined()
})
