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
