import { parseRtcp, type RtcpPacket, writeRtcp } from '@porchlight/proto/media/rtcp.ts'
import { isRtcp, middleNtp, parseRtp, writeRtp } from '@porchlight/proto/media/rtp.ts'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { Consumer } from '../../../../gateway/sfu/consumer.ts'
import { Producer } from '../../../../gateway/sfu/producer.ts'
import { quietLog } from '../../../support/quiet-log.ts'

const none = { frameNumberId: undefined, captureTimeId: undefined, transportCcId: undefined }
const frameTicks = 3_600

interface Setting {
  rtx?: boolean
  audio?: { asksAgain: boolean } | undefined
}

function setUp({ rtx = false, audio }: Setting = {}) {
  const clock = { now: 100_000 }
  const asked: Uint8Array[] = []
  const makeProducer = () =>
    new Producer({
      camera: 'house.door',
      run: 'boot-0001',
      video: { kind: 'video', codec: 'h264', payloadType: 96, clockRate: 90_000, channels: 1, fmtp: '', ...none },
      audio: audio
        ? { kind: 'audio', codec: 'pcmu', payloadType: 0, clockRate: 8_000, channels: 1, fmtp: '', ...none }
        : undefined,
      talk: undefined,
      send: (_, bytes) => asked.push(bytes),
      now: () => clock.now,
      wallNow: Date.now,
      log: quietLog,
    })
  const producer = makeProducer()
  onTestFinished(() => producer.close())
  const sent: { mid: string; bytes: Buffer }[] = []
  let backlogs = 0
  const consumer = new Consumer({
    session: 'viewer-1',
    video: {
      mid: '0',
      ssrc: 4242,
      payloadType: 102,
      rtx: rtx ? { ssrc: 4343, payloadType: 103 } : undefined,
      asksAgain: true,
      transportCcId: 4,
    },
    audio: audio && { mid: '1', ssrc: 5252, payloadType: 0, rtx: undefined, transportCcId: undefined, ...audio },
    send: (mid, bytes) => sent.push({ mid, bytes: Buffer.from(bytes) }),
    backlog: () => backlogs++,
    now: () => clock.now,
  })
  let sequence = 65_530
  /** One frame of so many packets, 40 ms after the one before. */
  const frame = (
    number: number,
    { key = false, packets = 1, bytes = 100, skip = [] as number[] } = {},
    to = producer,
  ) => {
    clock.now = 100_000 + number * 40
    for (let index = 0; index < packets; index++) {
      const payload = new Uint8Array(bytes).fill(7)
      payload.set(key ? [0x7c, index === 0 ? 0x85 : 0x05, 0x88] : [0x41, 0x9a])
      const packet = writeRtp({
        marker: index === packets - 1,
        payloadType: 96,
        sequence: sequence & 0xffff,
        timestamp: (4_294_960_000 + number * frameTicks) % 2 ** 32,
        ssrc: 1,
        extensions: [],
        payload,
      })
      sequence++
      if (skip.includes(index)) missing.push(packet)
      else to.packet('video', packet)
    }
  }
  const missing: Uint8Array[] = []
  const rtp = () =>
    sent.flatMap(({ bytes }) => {
      const packet = bytes[1]! >= 192 && bytes[1]! <= 223 ? undefined : parseRtp(bytes)
      return packet ? [packet] : []
    })
  const rtcp = (packet: RtcpPacket) => consumer.rtcp('0', writeRtcp([packet]))
  return { clock, producer, makeProducer, consumer, sent, frame, rtp, rtcp, asked, missing, backlogs: () => backlogs }
}

describe('a viewer who joins in the middle of a group', () => {
  test('gets all of it at once, squeezed, and then live with natural distances', () => {
    const { producer, consumer, frame, rtp } = setUp()
    frame(0, { key: true, packets: 3 })
    for (let number = 1; number < 50; number++) frame(number)
    consumer.attach(producer)
    consumer.opened('0')
    frame(50)
    frame(51)
    const packets = rtp()
    expect(packets).toHaveLength(54)
    const first = packets[0]!.sequence
    expect(packets.map(({ sequence }) => (sequence - first) & 0xffff)).toEqual(packets.map((_, index) => index))
    expect(packets.every(({ ssrc, payloadType }) => ssrc === 4242 && payloadType === 102)).toBe(true)
    const times = packets.map(({ timestamp }) => (timestamp - packets.at(-1)!.timestamp) | 0)
    expect(times.at(-2)).toBe(-frameTicks)
    // 2 s of pictures within a few ms, and strictly growing from frame to frame
    expect(times.at(-3)! - times[0]!).toBeLessThan(90 * 10)
    for (let index = 3; index < times.length; index++) expect(times[index]!).toBeGreaterThan(times[index - 1]!)
    expect(new Set(times.slice(0, 3)).size).toBe(1)
  })

  test('nothing is sent before the track is open', () => {
    const { producer, consumer, frame, sent } = setUp()
    frame(0, { key: true })
    consumer.attach(producer)
    frame(1)
    expect(sent).toEqual([])
  })

  test('without a kept group a keyframe is asked for, and waited for', () => {
    const { producer, consumer, frame, rtp, asked } = setUp()
    frame(0)
    consumer.attach(producer)
    consumer.opened('0')
    frame(1)
    expect(rtp()).toEqual([])
    expect(asked.flatMap((bytes) => parseRtcp(bytes))).toEqual([{ type: 'pli', sender: 1, media: 1 }])
    frame(2, { key: true, packets: 2 })
    expect(rtp()).toHaveLength(2)
  })

  test('the packets of a picture leave together: with its last one, or in a moment where that is late', () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    const { producer, consumer, frame, rtp, missing } = setUp()
    frame(0, { key: true })
    consumer.attach(producer)
    consumer.opened('0')
    frame(1, { packets: 4, skip: [3] })
    expect(rtp()).toHaveLength(1)
    producer.packet('video', missing[0]!)
    expect(rtp()).toHaveLength(5)
    frame(2, { packets: 4, skip: [3] })
    expect(rtp()).toHaveLength(5)
    vi.advanceTimersByTime(2)
    expect(rtp()).toHaveLength(8)
    frame(3, { packets: 4, skip: [3] })
    frame(4)
    expect(rtp()).toHaveLength(12)
  })

  test('the first picture goes out whole, and what follows waits for the pace', () => {
    const { producer, consumer, frame, rtp, backlogs, clock } = setUp()
    frame(0, { key: true, packets: 100, bytes: 1_100 })
    for (let number = 1; number < 10; number++) frame(number, { packets: 10, bytes: 1_100 })
    consumer.attach(producer)
    consumer.opened('0')
    expect(rtp()).toHaveLength(100)
    expect(backlogs()).toBe(1)
    clock.now += 1
    expect(consumer.pump()).toBe(true)
    expect(rtp()).toHaveLength(100)
    // 4 Mbit/s: what was sent ahead is made up for first.
    clock.now += 120
    expect(consumer.pump()).toBe(true)
    expect(rtp().length).toBeGreaterThan(100)
    expect(rtp().length).toBeLessThan(190)
  })

  test('a first picture too large for sockets does not go out whole', () => {
    const { producer, consumer, frame, rtp } = setUp()
    frame(0, { key: true, packets: 300, bytes: 1_100 })
    consumer.attach(producer)
    consumer.opened('0')
    expect(rtp().length).toBeLessThan(120)
  })

  test('a backlog behind a newer keyframe is left out', () => {
    const { producer, consumer, frame, rtp, clock } = setUp()
    frame(0, { key: true, packets: 60, bytes: 1_100 })
    for (let number = 1; number < 20; number++) frame(number, { packets: 20, bytes: 1_100 })
    consumer.attach(producer)
    consumer.opened('0')
    const before = rtp().length
    frame(20, { key: true, packets: 2 })
    for (let step = 0; step < 60; step++) {
      clock.now += 2
      consumer.pump()
    }
    expect(consumer.senders[0]!.jumps).toBe(1)
    expect(rtp().length).toBeLessThan(before + 60)
    expect(rtp().at(-1)!.marker).toBe(true)
    const sequences = rtp().map(({ sequence }) => sequence)
    expect((sequences.at(-1)! - sequences[0]!) & 0xffff).toBe(sequences.length - 1)
  })
})

describe('repair towards the viewer', () => {
  function live(setting: Setting = {}) {
    const all = setUp(setting)
    all.frame(0, { key: true })
    for (let number = 1; number < 30; number++) all.frame(number)
    all.consumer.attach(all.producer)
    all.consumer.opened('0')
    all.clock.now += 100
    return all
  }

  test('without RTX a retransmission is the same to the last byte: another text under one nonce would open AES-GCM', () => {
    const { clock, frame, sent, rtcp } = live()
    const packets = () => sent.filter(({ bytes }) => parseRtp(bytes)?.ssrc === 4242).map(({ bytes }) => bytes)
    const wanted = packets()[5]!
    const count = packets().length
    for (let round = 0; round < 2; round++) {
      rtcp({ type: 'nack', sender: 9, media: 4242, lost: [parseRtp(wanted)!.sequence] })
      clock.now += 50
      frame(40 + round)
    }
    expect(packets().filter((bytes) => bytes.equals(wanted))).toHaveLength(3)
    expect(packets()).toHaveLength(count + 4)
  })

  test('a number that was kept for a packet that never came is not sent', () => {
    const { frame, rtp, rtcp, clock } = live()
    frame(30, { packets: 3, skip: [1] })
    clock.now += 50
    const count = rtp().length
    rtcp({ type: 'nack', sender: 9, media: 4242, lost: [(rtp().at(-1)!.sequence - 1) & 0xffff] })
    expect(rtp()).toHaveLength(count)
  })

  test('with RTX it goes on its own SSRC with the original number in front (RFC 4588 §4)', () => {
    const { rtp, rtcp } = live({ rtx: true })
    const wanted = rtp()[5]!
    rtcp({ type: 'nack', sender: 9, media: 4242, lost: [wanted.sequence] })
    const again = rtp().at(-1)!
    expect([again.ssrc, again.payloadType, again.timestamp]).toEqual([4343, 103, wanted.timestamp])
    expect(Buffer.from(again.payload).readUInt16BE(0)).toBe(wanted.sequence)
    expect(again.payload.length).toBe(wanted.payload.length + 2)
  })

  test('the same number twice in a moment is sent once; a foreign SSRC not at all', () => {
    const { rtp, rtcp } = live()
    const count = rtp().length
    const lost = [rtp()[5]!.sequence]
    rtcp({ type: 'nack', sender: 9, media: 4242, lost })
    rtcp({ type: 'nack', sender: 9, media: 4242, lost })
    rtcp({ type: 'nack', sender: 9, media: 1, lost })
    expect(rtp().length).toBe(count + 1)
  })

  test('lost sound is sent again under its own number, the same to the last byte', () => {
    const { clock, producer, consumer, sent } = live({ audio: { asksAgain: false } })
    consumer.opened('1')
    const tone = (sequence: number) =>
      producer.packet(
        'audio',
        writeRtp({
          marker: false,
          payloadType: 0,
          sequence,
          timestamp: sequence * 160,
          ssrc: 2,
          extensions: [],
          payload: new Uint8Array(160).fill(sequence),
        }),
      )
    for (let sequence = 1; sequence < 5; sequence++) tone(sequence)
    const sound = () => sent.filter(({ mid, bytes }) => mid === '1' && bytes[1] === 0).map(({ bytes }) => bytes)
    const [, wanted] = sound()
    const lost = [wanted!.readUInt16BE(2)]
    consumer.rtcp('1', writeRtcp([{ type: 'nack', sender: 9, media: 5252, lost }]))
    expect(sound()).toHaveLength(4)
    clock.now += 20
    consumer.rtcp('1', writeRtcp([{ type: 'nack', sender: 9, media: 5252, lost }]))
    expect(sound()).toHaveLength(5)
    expect(sound().at(-1)).toEqual(wanted)
  })

  test('what came late from the device goes out under the number that was kept for it', () => {
    const { producer, frame, rtp, missing } = live()
    frame(30, { packets: 3, skip: [1] })
    const sequences = rtp()
      .slice(-2)
      .map(({ sequence }) => sequence)
    expect((sequences[1]! - sequences[0]!) & 0xffff).toBe(2)
    producer.packet('video', missing[0]!)
    expect(rtp().at(-1)!.sequence).toBe((sequences[0]! + 1) & 0xffff)
  })

  test('PLI and FIR reach the device, throttled', () => {
    const { rtcp, asked } = live()
    rtcp({ type: 'pli', sender: 9, media: 4242 })
    rtcp({ type: 'fir', sender: 9, requests: [{ ssrc: 4242, sequence: 1 }] })
    expect(asked.flatMap((bytes) => parseRtcp(bytes)).filter(({ type }) => type === 'pli')).toHaveLength(1)
  })
})

test('every packet carries its own transport-wide number', () => {
  const { producer, consumer, frame, rtp } = setUp()
  frame(0, { key: true, packets: 5 })
  consumer.attach(producer)
  consumer.opened('0')
  const numbers = rtp().map(({ extensions }) => Buffer.from(extensions[0]!.data).readUInt16BE())
  expect(numbers).toEqual([0, 1, 2, 3, 4])
})

test('what the viewer says and asks for is counted, and what it sees of the line is known', () => {
  const { producer, consumer, frame, rtcp, sent, clock } = setUp()
  frame(0, { key: true })
  consumer.attach(producer)
  consumer.opened('0')
  for (let number = 1; number < 50; number++) frame(number)
  expect(consumer.estimatedBitrate).toBeUndefined()
  expect(consumer.remote.video.lost).toBeUndefined()
  const report = sent.flatMap(({ bytes }) => parseRtcp(bytes)).find((packet) => packet.type === 'sr')!
  // The report left with the first picture, and half of the time since it lay at the viewer.
  const sinceMs = clock.now - 100_000
  const block = {
    ...{ ssrc: 4242, fractionLost: 128, packetsLost: 4, highestSequence: 9, jitter: 900 },
    ...{ lastSr: middleNtp(report.ntp), delaySinceLastSr: (sinceMs / 2_000) * 65_536 },
  }
  rtcp({ type: 'rr', ssrc: 9, reports: [{ ...block, ssrc: 1 }, block] })
  const { lost, lossRatio, jitterMs, rttMs } = consumer.remote.video
  expect([lost, lossRatio, jitterMs]).toEqual([4, 0.5, 10])
  expect(rttMs).toBeCloseTo(sinceMs / 2)
  rtcp({ type: 'nack', sender: 9, media: 4242, lost: [1, 2] })
  rtcp({ type: 'pli', sender: 9, media: 4242 })
  rtcp({ type: 'pli', sender: 9, media: 1 })
  rtcp({ type: 'fir', sender: 9, requests: [{ ssrc: 4242, sequence: 0 }] })
  const { packets, nacks, plis, firs } = consumer.traffic
  expect({ packets, nacks, plis, firs }).toEqual({ packets: 50, nacks: 1, plis: 1, firs: 1 })
  rtcp({ type: 'twcc', sender: 9, media: 4242, feedback: 0, arrivals: [{ sequence: 0, atUs: 250 }] })
  expect(consumer.estimatedBitrate).toBe(consumer.rate * 8_000)
})

test('feedback that names the source of repetitions counts as well; of a stranger it does not', () => {
  const { producer, consumer, frame, rtcp } = setUp({ rtx: true })
  frame(0, { key: true })
  consumer.attach(producer)
  consumer.opened('0')
  const twcc = { type: 'twcc' as const, sender: 9, feedback: 0, arrivals: [{ sequence: 0, atUs: 250 }] }
  rtcp({ ...twcc, media: 7 })
  expect(consumer.estimatedBitrate).toBeUndefined()
  rtcp({ ...twcc, media: 4343 })
  expect(consumer.estimatedBitrate).toBeDefined()
})

/** The sound that a viewer gets who loses one packet in ten on a link with room. */
function soundWithLoss(asksAgain: boolean): Buffer[] {
  const { producer, consumer, frame, rtcp, sent, clock } = setUp({ audio: { asksAgain } })
  let sequence = 0
  const sound = () => {
    const facts = {
      marker: false,
      payloadType: 0,
      ssrc: 3,
      extensions: [],
      payload: new Uint8Array(160).fill(sequence),
    }
    producer.packet('audio', writeRtp({ ...facts, sequence, timestamp: sequence++ * 160 }))
  }
  const heard = () => sent.filter(({ mid, bytes }) => mid === '1' && !isRtcp(bytes)).map(({ bytes }) => bytes)
  frame(0, { key: true })
  consumer.attach(producer)
  consumer.opened('0')
  consumer.opened('1')
  let told = 0
  for (let number = 1; number < 90; number++) {
    frame(number, { packets: 4 })
    for (let half = 0; half < 2; half++) {
      sound()
      clock.now += 20
    }
    const to = consumer.traffic.packets - heard().length
    // One in ten never comes.
    const arrivals = Array.from({ length: to - told }, (_, index) => ({
      sequence: told + index,
      atUs: (told + index) % 10 === 9 ? undefined : clock.now * 1_000,
    }))
    rtcp({ type: 'twcc', sender: 9, media: 4242, feedback: 0, arrivals })
    told = to
  }
  return heard()
}

test('sound that is lost on a link with room is sent twice, a packet apart and the same to the last byte', () => {
  const heard = soundWithLoss(false)
  const numbers = heard.map((bytes) => parseRtp(bytes)!.sequence)
  const first = numbers[0]!
  // Once each in the beginning, then each between the two that follow it.
  expect(numbers.slice(0, 10).map((number) => number - first)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  const last = numbers.at(-2)! - first
  expect(numbers.slice(-6).map((number) => number - first)).toEqual([
    last - 2,
    last - 3,
    last - 1,
    last - 2,
    last,
    last - 1,
  ])
  const byNumber = Map.groupBy(heard, (bytes) => parseRtp(bytes)!.sequence)
  for (const same of byNumber.values()) for (const bytes of same) expect(bytes.equals(same[0]!)).toBe(true)
})

test('a viewer who asks for lost sound again gets it once', () => {
  const numbers = soundWithLoss(true).map((bytes) => parseRtp(bytes)!.sequence)
  expect(new Set(numbers).size).toBe(numbers.length)
})

test('sender reports follow the unsqueezed clock', () => {
  const { producer, consumer, frame, sent, rtp } = setUp()
  frame(0, { key: true })
  for (let number = 1; number < 50; number++) frame(number)
  consumer.attach(producer)
  consumer.opened('0')
  const report = sent.flatMap(({ bytes }) => parseRtcp(bytes)).find(({ type }) => type === 'sr')
  expect(report).toMatchObject({ ssrc: 4242 })
  // the newest frame has just arrived: but for the squeeze's few ms its time is the report's
  expect(report?.type === 'sr' && Math.abs((report.rtp - rtp().at(-1)!.timestamp) | 0)).toBeLessThan(90 * 10)
})

test('pictures wait for sound no longer than to within 60 ms', () => {
  const { producer, consumer, frame, sent } = setUp({ audio: { asksAgain: false } })
  consumer.attach(producer)
  consumer.opened('0')
  consumer.opened('1')
  const sound = { marker: false, payloadType: 0, ssrc: 3, extensions: [], payload: new Uint8Array(160) }
  for (let number = 0; number < 60; number++) {
    frame(number, { key: number === 0 })
    for (const half of [0, 1])
      producer.packet(
        'audio',
        writeRtp({ ...sound, sequence: number * 2 + half, timestamp: number * 320 + half * 160 }),
      )
  }
  /** When what arrives now was captured, by the newest report of a line. */
  const toldMs = (mid: string, ticksPerMs: number) => {
    const packets = sent
      .filter((one) => one.mid === mid)
      .flatMap(({ bytes }) => (isRtcp(bytes) ? parseRtcp(bytes) : []))
    const report = packets.findLast((packet) => packet.type === 'sr')!
    const newest = parseRtp(sent.findLast((one) => one.mid === mid && !isRtcp(one.bytes))!.bytes)!
    return Number((report.ntp * 1_000n) >> 32n) + ((newest.timestamp - report.rtp) | 0) / ticksPerMs
  }
  const behindMs = toldMs('1', 8) - toldMs('0', 90)
  expect(behindMs).toBeGreaterThan(60 - 30)
  expect(behindMs).toBeLessThan(60 + 30)
})

test('a new producer goes on in numbers and time', () => {
  const { producer, makeProducer, consumer, frame, rtp } = setUp()
  frame(0, { key: true })
  consumer.attach(producer)
  consumer.opened('0')
  frame(1)
  const last = rtp().at(-1)!
  const next = makeProducer()
  onTestFinished(() => next.close())
  consumer.attach(next)
  frame(2, { key: true }, next)
  const first = rtp().at(-1)!
  expect((first.sequence - last.sequence) & 0xffff).toBe(1)
  const step = (first.timestamp - last.timestamp) | 0
  expect(step).toBeGreaterThan(0)
  expect(step).toBeLessThan(3 * frameTicks)
})
