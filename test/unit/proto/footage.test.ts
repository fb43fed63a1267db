import {
  encodeFootageAudio,
  encodeFootageHeader,
  encodeFootageUnit,
  FootageDecoder,
  type FootageHeader,
} from '@porchlight/proto/footage.ts'
import type { AccessUnit, AudioFrame } from '@porchlight/proto/media/access-unit.ts'
import { expect, test } from 'vitest'

const unit: AccessUnit = {
  ...{ codec: 'h264', frame: 0xfffffffe, captureMs: 1_700_000_000_123.456, keyframe: true, reference: false },
  data: [Uint8Array.of(0x67, 1, 2), Uint8Array.of(0x65, 3)],
}
const frame: AudioFrame = {
  ...{ codec: 'aac', frame: 7, captureMs: 1_700_000_000_100.5, clockRate: 16_000, channels: 2, samples: 1_024 },
  ...{ data: Uint8Array.of(9, 9), config: Uint8Array.of(0x14, 0x10) },
}
const header: FootageHeader = {
  run: 'boot-0001',
  video: { codec: 'h264', width: 640, height: 480 },
  audio: { codec: 'aac', clockRate: 16_000, channels: 2, config: Uint8Array.of(0x14, 0x10) },
}

function read(bytes: Uint8Array, step = bytes.length): unknown[] {
  const got: unknown[] = []
  const decoder = new FootageDecoder({
    header: (value) => got.push(value),
    unit: (value) => got.push(value),
    audio: (value) => got.push(value),
  })
  for (let at = 0; at < bytes.length; at += step) decoder.push(bytes.subarray(at, at + step))
  decoder.end()
  return got
}

const body = Buffer.concat([encodeFootageHeader(header), encodeFootageUnit(unit), encodeFootageAudio(frame)])

test.each([1, 3, 7, 1_000])('what is written is read, in pieces of %i bytes', (step) => {
  expect(read(body, step)).toEqual([header, unit, frame])
})

test.each<[string, Uint8Array]>([
  ['nothing', new Uint8Array(0)],
  ['no header first', encodeFootageUnit(unit)],
  ['an end inside a record', body.subarray(0, body.length - 1)],
  ['an end inside a record head', Buffer.concat([encodeFootageHeader(header), Uint8Array.of(2, 0)])],
  ['an unknown record', Buffer.concat([encodeFootageHeader(header), Uint8Array.of(9, 0, 0, 0, 1, 0)])],
  ['a record that is too long', Buffer.concat([encodeFootageHeader(header), Uint8Array.of(2, 255, 255, 255, 255)])],
  ['a header that is not JSON', Uint8Array.of(1, 0, 0, 0, 2, 0x7b, 0x7b)],
  ['a header with more in it', encodeHeaderText('{"run":"boot-0001","more":1}')],
  ['another run', Buffer.concat([body, encodeFootageHeader({ ...header, run: 'boot-0002' })])],
  ['a codec that is not in the header', Buffer.concat([body, encodeFootageUnit({ ...unit, codec: 'h265' })])],
  ['a capture time that is none', Buffer.concat([body, encodeFootageUnit({ ...unit, captureMs: Number.NaN })])],
  ['an empty access unit', Buffer.concat([body, encodeFootageUnit({ ...unit, data: [] })])],
  ['sound longer than a second', Buffer.concat([body, encodeFootageAudio({ ...frame, samples: 99_999 })])],
])('%s is refused with a code', (_, bytes) => {
  expect(() => read(bytes)).toThrow(expect.objectContaining({ code: 'footage_invalid' }))
})

function encodeHeaderText(text: string): Uint8Array {
  return Buffer.concat([Uint8Array.of(1, 0, 0, 0, text.length), Buffer.from(text)])
}
