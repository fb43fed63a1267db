import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { RtspParser, writeFrame, writeResponse } from '../../../sim/rtsp/messages.ts'

const bytes = (text: string) => Buffer.from(text, 'latin1')
const options = 'OPTIONS rtsp://host/main RTSP/1.0\r\nCSeq: 7\r\nUser-Agent: test\r\n\r\n'
const parameter = 'GET_PARAMETER * RTSP/1.0\r\ncseq: 8\r\nContent-Length: 5\r\n\r\nhello'

describe('RTSP parser', () => {
  test('requests and frames come out in order, however the bytes are cut', () => {
    const stream = Buffer.concat([
      bytes(options),
      writeFrame(4, Uint8Array.of(1, 2, 3)),
      bytes(`\r\n${parameter}`),
      writeFrame(5, new Uint8Array()),
    ])
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: stream.length })), (cuts) => {
        const parser = new RtspParser()
        const places = [0, ...cuts.sort((a, b) => a - b), stream.length]
        const found = places.flatMap((from, index) =>
          parser.push(stream.subarray(from, places[index + 1] ?? stream.length)),
        )
        expect(
          found.map((item) => (item.kind === 'frame' ? [item.channel, ...item.data] : [item.method, item.body])),
        ).toEqual([['OPTIONS', ''], [4, 1, 2, 3], ['GET_PARAMETER', 'hello'], [5]])
      }),
    )
  })

  test('header names are lower case', () => {
    const [request] = new RtspParser().push(bytes(options))
    expect(request).toMatchObject({
      url: 'rtsp://host/main',
      headers: new Map([
        ['cseq', '7'],
        ['user-agent', 'test'],
      ]),
    })
  })

  test('what is no RTSP is refused, and endless headers too', () => {
    expect(() => new RtspParser().push(bytes('GET / HTTP/1.1\r\n\r\n'))).toThrow(/no RTSP request/)
    expect(() => new RtspParser().push(Buffer.alloc(300 * 1024, 65))).toThrow(/too large/)
  })

  test('a response repeats CSeq and counts bytes', () => {
    const [request] = new RtspParser().push(bytes(options))
    if (request?.kind !== 'request') throw new Error('no request')
    const text = writeResponse(request, 200, { Session: '1', 'RTP-Info': undefined }, 'ä')
    expect(text).toMatch(/^RTSP\/1\.0 200 OK\r\nCSeq: 7\r\n/)
    expect(text).toMatch(/Session: 1\r\nContent-Length: 2\r\n\r\nä$/)
    expect(text).not.toMatch(/RTP-Info/)
  })
})
