import { parseRtp } from '@porchlight/proto/media/rtp.ts'
import { parseSdp } from '@porchlight/proto/media/sdp.ts'
import { describe, expect, it } from 'vitest'
import { Backchannel } from '../../../../device/camera/rtsp/backchannel.ts'
import { chooseTracks } from '../../../../device/camera/tracks.ts'
import { backchannelLines, sdpOf, videoLines } from '../../../support/scripted-camera.ts'

describe('Backchannel', () => {
  function start(constantTimestamp: boolean) {
    const sent: ReturnType<typeof parseRtp>[] = []
    let now = 0
    const sink = new Backchannel({
      track: chooseTracks(parseSdp(sdpOf(...videoLines, ...backchannelLines))).backchannel!,
      send: (packet) => {
        sent.push(parseRtp(packet))
        return true
      },
      monotonic: () => now,
      random: () => 0,
      constantTimestamp,
    })
    return { sink, sent, later: (ms: number) => (now += ms) }
  }

  it('has its own numbering: even over lost packets, other talkers and pauses', () => {
    const { sink, sent, later } = start(false)
    const say = (timestamp: number) => {
      sink.send(new Uint8Array(160), timestamp)
      later(20)
    }
    say(5_000)
    say(5_160)
    say(5_480) // one lost between
    say(900_000) // another talker
    later(1_000)
    say(900_160)
    expect(sent.map((packet) => packet!.timestamp)).toEqual([0, 160, 480, 640, 8_800])
    expect(sent.map((packet) => packet!.sequence)).toEqual([0, 1, 2, 3, 4])
    expect(sent.map((packet) => packet!.marker)).toEqual([true, false, false, false, true])
    expect(sent[0]).toMatchObject({ payloadType: 8 })
  })

  it('no packet is larger than 1024 bytes or longer than 160 ms', () => {
    const { sink, sent } = start(false)
    sink.send(new Uint8Array(2_400), 0)
    expect(sent.map((packet) => [packet!.payload.length, packet!.timestamp])).toEqual([
      [1024, 0],
      [1024, 1024],
      [352, 2048],
    ])
  })

  it('a constant timestamp where the doorbell wants one (Reolink)', () => {
    const { sink, sent, later } = start(true)
    for (let index = 0; index < 3; index += 1) {
      sink.send(new Uint8Array(160), index * 160)
      later(20)
    }
    expect(new Set(sent.map((packet) => packet!.timestamp)).size).toBe(1)
  })
})
