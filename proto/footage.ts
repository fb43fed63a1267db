import { z } from 'zod'
import { PorchlightError } from './errors.ts'
import { randomId } from './ids.ts'
import type { AccessUnit, AudioFormat, AudioFrame, VideoFormat } from './media/access-unit.ts'
import { audioCodec, videoCodec } from './messages/cameras.ts'

/**
 * Footage: numbered access units and audio frames that a device delivers over HTTPS, beside the live picture: pre-roll,
 * what RTP lost, what an outage kept away. A body is a row of records `u8 type | u32 length | payload`, big endian, the
 * first of them a header. One body belongs to one run (numbering) of one camera; a further header changes the format.
 */

/** One delivery is not larger, in bytes; a device cuts what is longer. */
export const maxFootageBytes = 64 * 1024 * 1024
/** One record is not larger, in bytes (a 4K keyframe is ~1 MB). */
export const maxFootageRecordBytes = 8 * 1024 * 1024
const maxHeaderBytes = 4 * 1024
const maxUnits = 1024

const recordHeader = 1
const recordUnit = 2
const recordAudio = 3

const videoCodecs = videoCodec.options
const audioCodecs = audioCodec.options
const keyframeFlag = 1
const referenceFlag = 2

const base64 = z.base64().max(256)
const headerSchema = z.strictObject({
  run: randomId,
  video: z
    .strictObject({
      codec: videoCodec,
      width: z.number().int().nonnegative().max(16_384),
      height: z.number().int().nonnegative().max(16_384),
    })
    .optional(),
  audio: z
    .strictObject({
      codec: audioCodec,
      clockRate: z.number().int().positive().max(384_000),
      channels: z.number().int().positive().max(8),
      config: base64.optional(),
    })
    .optional(),
})

export interface FootageHeader {
  /** Numbering of the frames: the device's boot id. */
  run: string
  video?: VideoFormat | undefined
  audio?: AudioFormat | undefined
}

/** Takes what a {@link FootageDecoder} reads, in the order of the body. May throw to refuse the rest. */
export interface FootageSink {
  header(header: FootageHeader): void
  unit(unit: AccessUnit): void
  audio(frame: AudioFrame): void
}

function record(type: number, payloadBytes: number): { bytes: Uint8Array; view: DataView } {
  const bytes = new Uint8Array(5 + payloadBytes)
  const view = new DataView(bytes.buffer)
  view.setUint8(0, type)
  view.setUint32(1, payloadBytes)
  return { bytes, view }
}

/** The first record of a body, and each where the format changes. */
export function encodeFootageHeader(header: FootageHeader): Uint8Array {
  const { run, video, audio } = header
  const config = audio?.config && Buffer.from(audio.config).toString('base64')
  const json = JSON.stringify({
    run,
    ...(video && { video: { codec: video.codec, width: video.width, height: video.height } }),
    ...(audio && {
      audio: { codec: audio.codec, clockRate: audio.clockRate, channels: audio.channels, ...(config && { config }) },
    }),
  })
  const payload = new TextEncoder().encode(json)
  const { bytes } = record(recordHeader, payload.byteLength)
  bytes.set(payload, 5)
  return bytes
}

/** `u8 codec | u8 flags | u32 frame | f64 captureMs | u16 count | count × (u32 length | bytes)` */
export function encodeFootageUnit(unit: AccessUnit): Uint8Array {
  const size = unit.data.reduce((sum, part) => sum + 4 + part.byteLength, 16)
  const { bytes, view } = record(recordUnit, size)
  view.setUint8(5, videoCodecs.indexOf(unit.codec))
  view.setUint8(6, (unit.keyframe ? keyframeFlag : 0) | (unit.reference ? referenceFlag : 0))
  view.setUint32(7, unit.frame)
  view.setFloat64(11, unit.captureMs)
  view.setUint16(19, unit.data.length)
  let at = 21
  for (const part of unit.data) {
    view.setUint32(at, part.byteLength)
    bytes.set(part, at + 4)
    at += 4 + part.byteLength
  }
  return bytes
}

/** `u8 codec | u8 channels | u32 frame | f64 captureMs | u32 clockRate | u32 samples | data`; the config is the header's. */
export function encodeFootageAudio(frame: AudioFrame): Uint8Array {
  const { bytes, view } = record(recordAudio, 22 + frame.data.byteLength)
  view.setUint8(5, audioCodecs.indexOf(frame.codec))
  view.setUint8(6, frame.channels)
  view.setUint32(7, frame.frame)
  view.setFloat64(11, frame.captureMs)
  view.setUint32(19, frame.clockRate)
  view.setUint32(23, frame.samples)
  bytes.set(frame.data, 27)
  return bytes
}

const invalid = (detail: string) => new PorchlightError('footage_invalid', detail)

/** As many bytes of a record say what it is and which picture it holds. */
export const footagePeekBytes = 11

/** What the first bytes of a record say. */
export interface FootageRecordHead {
  kind: 'header' | 'unit' | 'audio'
  /** Bytes of the whole record. */
  bytes: number
  /** Number of the picture or of the audio frame; 0 for a header. */
  frame: number
}

/**
 * Reads the beginning of a record without the rest of it.
 * @param bytes {@link footagePeekBytes} of it, or all where it is shorter @throws PorchlightError `footage_invalid`
 */
export function peekFootageRecord(bytes: Uint8Array): FootageRecordHead {
  if (bytes.byteLength < 5) throw invalid('it ends inside a record')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const type = view.getUint8(0)
  const length = recordLength(type, view.getUint32(1))
  if (type === recordHeader) return { kind: 'header', bytes: 5 + length, frame: 0 }
  if (bytes.byteLength < footagePeekBytes) throw invalid('it ends inside a record')
  return { kind: type === recordUnit ? 'unit' : 'audio', bytes: 5 + length, frame: view.getUint32(7) }
}

/** Payload bytes of a record, checked. @throws PorchlightError `footage_invalid` */
function recordLength(type: number, length: number): number {
  if (type < recordHeader || type > recordAudio) throw invalid(`record type ${type}`)
  const minimum = type === recordUnit ? 16 : type === recordAudio ? 22 : 1
  const maximum = type === recordHeader ? maxHeaderBytes : maxFootageRecordBytes
  if (length < minimum || length > maximum) throw invalid(`a record of ${length} bytes`)
  return length
}

/**
 * Reads a body chunk by chunk as it arrives, and keeps no more than one record. What it hands on owns its bytes.
 * @throws PorchlightError `footage_invalid`, and whatever the sink throws
 */
export class FootageDecoder {
  readonly #sink: FootageSink
  readonly #head = new Uint8Array(5)
  #headBytes = 0
  #payload: Uint8Array | undefined
  #payloadBytes = 0
  #header: FootageHeader | undefined

  constructor(sink: FootageSink) {
    this.#sink = sink
  }

  push(chunk: Uint8Array): void {
    let at = 0
    while (at < chunk.byteLength) {
      if (this.#payload === undefined) {
        const take = Math.min(5 - this.#headBytes, chunk.byteLength - at)
        this.#head.set(chunk.subarray(at, at + take), this.#headBytes)
        this.#headBytes += take
        at += take
        if (this.#headBytes < 5) return
        this.#payload = new Uint8Array(this.#recordLength())
        this.#payloadBytes = 0
      }
      const take = Math.min(this.#payload.byteLength - this.#payloadBytes, chunk.byteLength - at)
      this.#payload.set(chunk.subarray(at, at + take), this.#payloadBytes)
      this.#payloadBytes += take
      at += take
      if (this.#payloadBytes < this.#payload.byteLength) return
      const payload = this.#payload
      this.#payload = undefined
      this.#headBytes = 0
      this.#record(this.#head[0]!, payload)
    }
  }

  /** @throws PorchlightError `footage_invalid` where the body ends inside a record or without a header */
  end(): void {
    if (this.#headBytes > 0 || this.#payload !== undefined) throw invalid('it ends inside a record')
    if (this.#header === undefined) throw invalid('it has no header')
  }

  #recordLength(): number {
    const type = this.#head[0]!
    const length = recordLength(type, new DataView(this.#head.buffer).getUint32(1))
    if (type !== recordHeader && this.#header === undefined) throw invalid('it does not begin with a header')
    return length
  }

  #record(type: number, payload: Uint8Array): void {
    const view = new DataView(payload.buffer)
    if (type === recordHeader) {
      const header = decodeHeader(payload)
      if (this.#header && this.#header.run !== header.run) throw invalid('two runs in one body')
      this.#header = header
      this.#sink.header(header)
    } else if (type === recordUnit) {
      const unit = decodeUnit(payload, view)
      if (this.#header?.video?.codec !== unit.codec) throw invalid(`${unit.codec} is not in the header`)
      this.#sink.unit(unit)
    } else {
      const frame = decodeAudio(payload, view)
      if (this.#header?.audio?.codec !== frame.codec) throw invalid(`${frame.codec} is not in the header`)
      const config = this.#header.audio.config
      this.#sink.audio(config ? { ...frame, config } : frame)
    }
  }
}

function decodeHeader(payload: Uint8Array): FootageHeader {
  let json: unknown
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload))
  } catch (cause) {
    throw new PorchlightError('footage_invalid', 'the header is not JSON', { cause })
  }
  const parsed = headerSchema.safeParse(json)
  if (!parsed.success) throw invalid(`header: ${parsed.error.issues[0]?.message ?? 'not valid'}`)
  const { run, video, audio } = parsed.data
  if (audio === undefined) return { run, video }
  const { config, ...plain } = audio
  return { run, video, audio: config ? { ...plain, config: new Uint8Array(Buffer.from(config, 'base64')) } : plain }
}

function captureTime(view: DataView): number {
  const captureMs = view.getFloat64(6)
  // up to the year 2286; keeps every later sum of times exact and finite
  if (!Number.isFinite(captureMs) || captureMs < 0 || captureMs > 1e13) throw invalid('a capture time')
  return captureMs
}

function decodeUnit(payload: Uint8Array, view: DataView): AccessUnit {
  const codec = videoCodecs[view.getUint8(0)]
  const flags = view.getUint8(1)
  const count = view.getUint16(14)
  if (codec === undefined) throw invalid('a video codec')
  if (count === 0 || count > maxUnits) throw invalid(`an access unit of ${count} parts`)
  const data: Uint8Array[] = []
  let at = 16
  for (let index = 0; index < count; index++) {
    if (at + 4 > payload.byteLength) throw invalid('an access unit is cut off')
    const length = view.getUint32(at)
    if (length === 0 || at + 4 + length > payload.byteLength) throw invalid('an access unit is cut off')
    data.push(payload.subarray(at + 4, at + 4 + length))
    at += 4 + length
  }
  if (at !== payload.byteLength) throw invalid('an access unit has a tail')
  return {
    codec,
    frame: view.getUint32(2),
    captureMs: captureTime(view),
    keyframe: (flags & keyframeFlag) !== 0,
    reference: (flags & referenceFlag) !== 0,
    data,
  }
}

function decodeAudio(payload: Uint8Array, view: DataView): AudioFrame {
  const codec = audioCodecs[view.getUint8(0)]
  const channels = view.getUint8(1)
  const clockRate = view.getUint32(14)
  const samples = view.getUint32(18)
  if (codec === undefined) throw invalid('an audio codec')
  if (channels < 1 || channels > 8 || clockRate < 1 || clockRate > 384_000) throw invalid('an audio frame')
  if (samples < 1 || samples > clockRate) throw invalid('the length of an audio frame')
  return {
    codec,
    frame: view.getUint32(2),
    captureMs: captureTime(view),
    clockRate,
    channels,
    samples,
    data: payload.subarray(22),
  }
}
