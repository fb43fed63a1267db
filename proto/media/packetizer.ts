import type { AccessUnit } from './access-unit.ts'
import { av1Obu, obuType, splitObus, withoutSize, writeLeb128 } from './av1.ts'
import { concatBytes } from './bytes.ts'
import { vp8Descriptor } from './vp8.ts'
import { vp9Descriptor } from './vp9.ts'

/**
 * Cuts an access unit into RTP payloads, in order; the last one carries the marker bit.
 * H.264: single NAL, STAP-A for parameter sets and other small units ahead of the picture, FU-A (RFC 6184, mode 1);
 * H.265 likewise with AP and FU (RFC 7798); VP8, VP9 and AV1 with their descriptors.
 * @param maxPayload bytes per payload, at least 64
 */
export function packetizeVideo(unit: AccessUnit, maxPayload: number): Uint8Array[] {
  const limit = Math.max(64, maxPayload)
  switch (unit.codec) {
    case 'h264':
      return packetizeNals(unit.data, limit, h264Form)
    case 'h265':
      return packetizeNals(unit.data, limit, h265Form)
    case 'vp8':
      return unit.data.flatMap((frame) => cut(frame, limit, (first) => vp8Descriptor(first)))
    case 'vp9':
      return unit.data.flatMap((frame) => cut(frame, limit, (first, last) => vp9Descriptor(first, last, unit.keyframe)))
    case 'av1':
      return packetizeAv1(unit.data, limit, unit.keyframe)
  }
}

/** What differs between the two NAL families. */
interface NalForm {
  headerBytes: number
  /** Left out: access unit delimiters and filler mean nothing in RTP. */
  isNoise(nal: Uint8Array): boolean
  isSlice(nal: Uint8Array): boolean
  aggregate(nals: readonly Uint8Array[]): Uint8Array
  fragmentHeader(nal: Uint8Array, first: boolean, last: boolean): Uint8Array
}

const h264Form: NalForm = {
  headerBytes: 1,
  isNoise: (nal) => (nal[0]! & 0x1f) === 9 || (nal[0]! & 0x1f) === 12,
  isSlice: (nal) => (nal[0]! & 0x1f) >= 1 && (nal[0]! & 0x1f) <= 5,
  aggregate(nals) {
    let importance = 0 // highest nal_ref_idc of the units inside (RFC 6184 §5.7)
    for (const nal of nals) importance = Math.max(importance, nal[0]! & 0x60)
    return joinSized(Uint8Array.of(importance | 24), nals)
  },
  fragmentHeader: (nal, first, last) =>
    Uint8Array.of((nal[0]! & 0xe0) | 28, (first ? 0x80 : 0) | (last ? 0x40 : 0) | (nal[0]! & 0x1f)),
}

const h265Form: NalForm = {
  headerBytes: 2,
  isNoise: (nal) => nal[0]! >> 1 === 35 || nal[0]! >> 1 === 38,
  isSlice: (nal) => nal[0]! >> 1 < 32,
  // LayerId and TID are the lowest of the units inside (RFC 7798 §4.4.2): cameras use layer 0, TID 1
  aggregate: (nals) => joinSized(Uint8Array.of(48 << 1, 1), nals),
  fragmentHeader: (nal, first, last) =>
    Uint8Array.of(
      (nal[0]! & 0x81) | (49 << 1),
      nal[1]!,
      (first ? 0x80 : 0) | (last ? 0x40 : 0) | ((nal[0]! >> 1) & 0x3f),
    ),
}

function packetizeNals(nals: readonly Uint8Array[], limit: number, form: NalForm): Uint8Array[] {
  const payloads: Uint8Array[] = []
  let waiting: Uint8Array[] = []
  let waitingBytes = form.headerBytes
  const flush = () => {
    if (waiting.length === 1) payloads.push(waiting[0]!)
    else if (waiting.length > 1) payloads.push(form.aggregate(waiting))
    waiting = []
    waitingBytes = form.headerBytes
  }
  for (const nal of nals) {
    if (nal.length <= form.headerBytes || form.isNoise(nal)) continue
    if (nal.length > limit) {
      flush()
      fragment(nal, limit, form, payloads)
    } else if (form.isSlice(nal)) {
      flush()
      payloads.push(nal)
    } else {
      if (waitingBytes + 2 + nal.length > limit) flush()
      waiting.push(nal)
      waitingBytes += 2 + nal.length
    }
  }
  flush()
  return payloads
}

function joinSized(header: Uint8Array, nals: readonly Uint8Array[]): Uint8Array {
  let size = header.length
  for (const nal of nals) size += 2 + nal.length
  const payload = new Uint8Array(size)
  payload.set(header)
  let at = header.length
  for (const nal of nals) {
    payload[at] = nal.length >> 8
    payload[at + 1] = nal.length
    payload.set(nal, at + 2)
    at += 2 + nal.length
  }
  return payload
}

function fragment(nal: Uint8Array, limit: number, form: NalForm, payloads: Uint8Array[]): void {
  const body = nal.subarray(form.headerBytes)
  payloads.push(...cut(body, limit, (first, last) => form.fragmentHeader(nal, first, last)))
}

/** Cuts into pieces of equal size (equal, so that no tiny last packet costs a whole datagram). */
function cut(bytes: Uint8Array, limit: number, header: (first: boolean, last: boolean) => Uint8Array): Uint8Array[] {
  const room = limit - header(true, true).length
  const count = Math.max(1, Math.ceil(bytes.length / room))
  const size = Math.ceil(bytes.length / count)
  const payloads: Uint8Array[] = []
  for (let at = 0; at < bytes.length || at === 0; at += size) {
    const head = header(at === 0, at + size >= bytes.length)
    const payload = new Uint8Array(head.length + Math.min(size, bytes.length - at))
    payload.set(head)
    payload.set(bytes.subarray(at, at + size), head.length)
    payloads.push(payload)
    if (size === 0) break
  }
  return payloads
}

/** Every OBU element with its length (W = 0), elements cut wherever a packet is full (Z and Y, §4.4). */
function packetizeAv1(data: readonly Uint8Array[], limit: number, keyframe: boolean): Uint8Array[] {
  const obus = data
    .flatMap(splitObus)
    .filter((obu) => ![av1Obu.temporalDelimiter, av1Obu.tileList, av1Obu.padding].includes(obuType(obu) as 2 | 8 | 15))
    .map(withoutSize)
  const payloads: Uint8Array[] = []
  let parts: Uint8Array[] = []
  let room = limit - 1
  let continues = false
  const flush = (more: boolean) => {
    if (parts.length === 0) return
    const newSequence = keyframe && payloads.length === 0
    const head = (continues ? 0x80 : 0) | (more ? 0x40 : 0) | (newSequence ? 0x08 : 0)
    payloads.push(concatBytes([Uint8Array.of(head), ...parts]))
    parts = []
    room = limit - 1
    continues = more
  }
  for (const obu of obus) {
    for (let at = 0; at < obu.length; ) {
      if (room < 8) flush(at > 0)
      const size = Math.min(obu.length - at, room - 3)
      const length = writeLeb128(size)
      parts.push(length, obu.subarray(at, at + size))
      room -= length.length + size
      at += size
      if (at < obu.length) flush(true)
    }
  }
  flush(false)
  return payloads
}
