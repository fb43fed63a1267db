import { msFromNtp, ntpFromMs, type RtpExtension, readUint32, writeUint32 } from './rtp.ts'

/** Header extensions (RFC 8285, one-byte form) that our own legs negotiate, by URI; ids are those of our own offers. */

/** Number of the access unit or audio frame that the packet belongs to: 4 bytes, big endian, in every packet. */
export const frameNumberUri = 'urn:porchlight:rtp-ext:frame-number'
export const frameNumberId = 1
/** http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time: NTP UQ32.32, 8 bytes, in a frame's first packet. */
export const absCaptureTimeUri = 'http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time'
export const absCaptureTimeId = 2
/** draft-holmer-rmcat-transport-wide-cc-extensions-01: 2 bytes. */
export const transportCcUri = 'http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01'
export const transportCcId = 3

/** Largest RTP packet we send, header included, in bytes (design.md: ≤ 1200-byte datagrams before SRTP). */
export const maxRtpBytes = 1180

/** @param frame uint32 @returns the 4 bytes of the frame-number extension */
export function writeFrameNumber(frame: number): Uint8Array {
  const data = new Uint8Array(4)
  writeUint32(data, 0, frame)
  return data
}

/** @returns the frame number, or undefined where the packet carries none */
export function readFrameNumber(extensions: readonly RtpExtension[], id = frameNumberId): number | undefined {
  const data = find(extensions, id)
  return data?.length === 4 ? readUint32(data, 0) : undefined
}

/** @param captureMs ms since the Unix epoch @returns the 8 bytes of the abs-capture-time extension */
export function writeAbsCaptureTime(captureMs: number): Uint8Array {
  const data = new Uint8Array(8)
  new DataView(data.buffer).setBigUint64(0, ntpFromMs(captureMs))
  return data
}

/** @returns ms since the Unix epoch, or undefined where the packet carries none. The 16-byte form is read too (offset ignored). */
export function readAbsCaptureTime(extensions: readonly RtpExtension[], id = absCaptureTimeId): number | undefined {
  const data = find(extensions, id)
  if (data === undefined || (data.length !== 8 && data.length !== 16)) return undefined
  return msFromNtp(new DataView(data.buffer, data.byteOffset, 8).getBigUint64(0))
}

function find(extensions: readonly RtpExtension[], id: number): Uint8Array | undefined {
  for (const extension of extensions) if (extension.id === id) return extension.data
  return undefined
}
