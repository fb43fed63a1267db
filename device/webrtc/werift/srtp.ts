import { asBuffer } from '@porchlight/proto/as-buffer.ts'
import { parseRtp } from '@porchlight/proto/media/rtp.ts'
import {
  ProtectionProfileAeadAes128Gcm,
  ProtectionProfileAes128CmHmacSha1_80,
  type RtpHeader,
  SrtcpSession,
  SrtpSession,
} from 'werift'
import { packetIndex, ReplayWindow } from './replay-window.ts'

/** In order of preference. */
export const srtpProfiles = [ProtectionProfileAeadAes128Gcm, ProtectionProfileAes128CmHmacSha1_80] as const
export type SrtpProfile = (typeof srtpProfiles)[number]

export interface SrtpKeys {
  localMasterKey: Buffer
  localMasterSalt: Buffer
  remoteMasterKey: Buffer
  remoteMasterSalt: Buffer
}

/** Sources that are kept apart. Only packets that the peer made reach this bound. */
const maxSources = 64
/** Bytes of index and tag behind an SRTCP packet: tag, then the index (RFC 7714 §9.2); the index, then the tag (RFC 3711 §3.4). */
const gcmTag = 16
const hmacTag = 10

/**
 * SRTP and SRTCP of one session: werift's ciphers (RFC 3711, RFC 7714), with packet indexes and replay windows of our own.
 * werift counts rollovers wrongly for what is sent again around a wrap, has no replay window, and writes headers anew;
 * here a header's bytes are encrypted as they came.
 */
export class Srtp {
  readonly #rtp: SrtpSession
  readonly #rtcp: SrtcpSession
  readonly #gcm: boolean
  /** Highest index sent, by SSRC. */
  readonly #sent = new Map<number, number>()
  readonly #received = new Map<number, ReplayWindow>()
  readonly #receivedRtcp = new Map<number, ReplayWindow>()
  #rtcpIndex = 0

  constructor(keys: SrtpKeys, profile: SrtpProfile) {
    this.#rtp = new SrtpSession({ keys, profile })
    this.#rtcp = new SrtcpSession({ keys, profile })
    this.#gcm = profile === ProtectionProfileAeadAes128Gcm
  }

  /** @returns undefined for what is no RTP packet, or so old that it has no index */
  protectRtp(packet: Uint8Array): Buffer | undefined {
    const bytes = asBuffer(packet)
    const head = readHeader(bytes, bytes.length)
    if (head === undefined) return undefined
    const highest = this.#sent.get(head.ssrc) ?? -1
    const index = packetIndex(highest, head.sequenceNumber)
    if (index === undefined) return undefined
    if (index > highest) this.#sent.set(head.ssrc, index)
    const payload = bytes.subarray(head.payloadOffset)
    return this.#rtp.localContext.cipher.encryptRtp(asHeader(head), payload, Math.floor(index / 65_536))
  }

  /** @returns the packet, or undefined where it is not the peer's, or not new */
  unprotectRtp(bytes: Buffer): Buffer | undefined {
    const head = readHeader(bytes, bytes.length - (this.#gcm ? gcmTag : hmacTag))
    if (head === undefined) return undefined
    const window = this.#received.get(head.ssrc) ?? new ReplayWindow()
    const index = packetIndex(window.highest, head.sequenceNumber)
    if (index === undefined || !window.isNew(index)) return undefined
    const packet = attempt(
      () => this.#rtp.remoteContext.cipher.decryptRtp(bytes, Math.floor(index / 65_536), asHeader(head))[0],
    )
    if (packet === undefined || !keep(this.#received, head.ssrc, window)) return undefined
    window.take(index)
    return parseRtp(packet) === undefined ? undefined : packet
  }

  /** @returns undefined for what is no RTCP packet */
  protectRtcp(packet: Uint8Array): Buffer | undefined {
    if (packet.length < 8) return undefined
    // 31 bits (RFC 3711 §3.4) are a thousand reports a second for 24 days; beyond, no key would be left to use.
    if (this.#rtcpIndex >= 2 ** 31 - 1) return undefined
    this.#rtcpIndex += 1
    return this.#rtcp.localContext.cipher.encryptRTCP(asBuffer(packet), this.#rtcpIndex)
  }

  /** @returns the packet, or undefined where it is not the peer's, not new or not encrypted */
  unprotectRtcp(bytes: Buffer): Buffer | undefined {
    const tail = bytes.length - (this.#gcm ? 4 : 4 + hmacTag)
    if (tail < 8 + (this.#gcm ? gcmTag : 0)) return undefined
    const word = bytes.readUInt32BE(tail)
    const index = word % 2 ** 31
    if (index === word) return undefined // the E bit (RFC 3711 §3.4)
    const ssrc = bytes.readUInt32BE(4)
    const window = this.#receivedRtcp.get(ssrc) ?? new ReplayWindow()
    if (!window.isNew(index)) return undefined
    const packet = attempt(() => this.#rtcp.remoteContext.cipher.decryptRTCP(bytes)[0])
    if (packet === undefined || !keep(this.#receivedRtcp, ssrc, window)) return undefined
    window.take(index)
    return packet
  }
}

interface Head {
  ssrc: number
  sequenceNumber: number
  payloadOffset: number
  bytes: Buffer
}

/** The unencrypted head of a packet (RFC 3711 §3.1), extensions included. @param end where the payload ends */
function readHeader(bytes: Buffer, end: number): Head | undefined {
  if (end < 12 || bytes[0]! >> 6 !== 2) return undefined
  let payloadOffset = 12 + (bytes[0]! & 0x0f) * 4
  if (bytes[0]! & 0x10) {
    if (payloadOffset + 4 > end) return undefined
    payloadOffset += 4 + bytes.readUInt16BE(payloadOffset + 2) * 4
  }
  if (payloadOffset > end) return undefined
  const head = bytes.subarray(0, payloadOffset)
  return { ssrc: bytes.readUInt32BE(8), sequenceNumber: bytes.readUInt16BE(2), payloadOffset, bytes: head }
}

/** What werift's ciphers ask of a header; padding is ours to judge, after decryption. */
function asHeader({ bytes, ...head }: Head): RtpHeader {
  return { ...head, padding: false, serializeSize: bytes.length, serialize: () => bytes } as unknown as RtpHeader
}

/** A packet that cannot be authenticated throws in werift: it is not the peer's. */
function attempt(decrypt: () => Buffer): Buffer | undefined {
  try {
    return decrypt()
  } catch {
    return undefined
  }
}

function keep(windows: Map<number, ReplayWindow>, ssrc: number, window: ReplayWindow): boolean {
  if (!windows.has(ssrc) && windows.size >= maxSources) return false
  windows.set(ssrc, window)
  return true
}
