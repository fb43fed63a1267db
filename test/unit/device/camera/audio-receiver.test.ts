import { parseSdp } from '@porchlight/proto/media/sdp.ts'
import { describe, expect, it } from 'vitest'
import { AudioReceiver, type Sound } from '../../../../device/camera/audio-receiver.ts'
import { chooseTracks } from '../../../../device/camera/tracks.ts'
import { sdpOf, videoLines } from '../../../support/scripted-camera.ts'

function receive(rtpmap: string, fmtp: string, ...packets: [timestamp: number, marker: boolean, payload: number[]][]) {
  const { audio } = chooseTracks(
    parseSdp(sdpOf(...videoLines, 'm=audio 0 RTP/AVP 97', `a=rtpmap:97 ${rtpmap}`, `a=fmtp:97 ${fmtp}`)),
  )
  const sounds: Sound[] = []
  const receiver = new AudioReceiver(
    audio!,
    (sound) => sounds.push(sound),
    () => undefined,
  )
  packets.forEach(([timestamp, marker, payload], sequence) => {
    receiver.push({
      marker,
      payloadType: 97,
      sequence,
      timestamp,
      ssrc: 1,
      extensions: [],
      payload: Uint8Array.from(payload),
    })
  })
  return {
    sounds: sounds.map(({ timestamp, samples, data }) => [timestamp, samples, [...data]]),
    format: receiver.format,
  }
}

const hbr = 'streamtype=5;mode=AAC-hbr;sizelength=13;indexlength=3;indexdeltalength=3;config=1408'
const header = (...sizes: number[]) => [
  0,
  sizes.length * 16,
  ...sizes.flatMap((size) => [(size << 3) >> 8, (size << 3) & 0xff]),
]
/** ADTS of 3 bytes: AAC-LC, 16 kHz, mono. */
const adts = (...data: number[]) => [
  0xff,
  0xf1,
  0x60,
  0x40,
  (data.length + 7) >> 3,
  ((data.length + 7) << 5) & 0xe0,
  0xfc,
  ...data,
]

describe('AAC', () => {
  it('several access units in a packet (RFC 3640)', () => {
    const { sounds, format } = receive('MPEG4-GENERIC/16000', hbr, [100, true, [...header(2, 3), 1, 2, 3, 4, 5]])
    expect(sounds).toEqual([
      [100, 1024, [1, 2]],
      [1124, 1024, [3, 4, 5]],
    ])
    expect(format).toMatchObject({ codec: 'aac', clockRate: 16_000, channels: 1, config: Uint8Array.of(0x14, 0x08) })
  })

  it('one access unit over two packets (RFC 3640 §3.2.3)', () => {
    const { sounds } = receive(
      'mpeg4-generic/16000',
      hbr,
      [7, false, [...header(5), 1, 2, 3]],
      [7, true, [...header(5), 4, 5]],
    )
    expect(sounds).toEqual([[7, 1024, [1, 2, 3, 4, 5]]])
  })

  it('odd sizeLength and indexLength', () => {
    const fmtp = 'mode=AAC-lbr;sizeLength=6;indexLength=2;indexDeltaLength=2;config=1408'
    const { sounds } = receive('mpeg4-generic/16000', fmtp, [0, true, [0, 16, 2 << 2, 1 << 2, 9, 8, 7]])
    expect(sounds.map(([, , data]) => data)).toEqual([[9, 8], [7]])
  })

  it('ADTS inside, with and without AU headers (live555)', () => {
    const frame = adts(1, 2, 3)
    const inside = receive('mpeg4-generic/44100/2', hbr.replace('1408', '1210'), [
      0,
      true,
      [...header(frame.length), ...frame],
    ])
    expect(inside.sounds.map(([, , data]) => data)).toEqual([[1, 2, 3]])
    expect(inside.format).toMatchObject({ channels: 1, config: Uint8Array.of(0x14, 0x08) })
    const bare = receive('mpeg4-generic/16000', 'mode=AAC-hbr', [0, true, [...frame, ...adts(4, 5)]])
    expect(bare.sounds.map(([, , data]) => data)).toEqual([
      [1, 2, 3],
      [4, 5],
    ])
  })

  it('MP4A-LATM with its config outside (RFC 6416)', () => {
    const { sounds, format } = receive('MP4A-LATM/16000/1', 'cpresent=0;config=400028103FC0', [
      0,
      true,
      [3, 1, 2, 3, 2, 4, 5],
    ])
    expect(sounds.map(([, , data]) => data)).toEqual([
      [1, 2, 3],
      [4, 5],
    ])
    expect(format.config).toHaveLength(2)
  })
})

describe('Opus and G.711', () => {
  it('counts samples', () => {
    expect(receive('opus/48000/2', '', [5, true, [0xfc, 1, 2]]).sounds).toEqual([[5, 960, [0xfc, 1, 2]]])
    expect(receive('PCMA/8000', '', [5, true, [1, 2, 3]]).sounds).toEqual([[5, 3, [1, 2, 3]]])
  })
})
