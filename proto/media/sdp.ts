import { PorchlightError } from '../errors.ts'

/** Sources of one section that are believed. */
const mostSsrcs = 8

/**
 * One tolerant reader of session descriptions (RFC 8866), for cameras (RTSP, SDP files) and for WebRTC alike.
 * Lines that make no sense are left out; cameras send many.
 */
export interface SdpAttribute {
  /** Lower case. */
  name: string
  /** Empty for a flag such as `a=recvonly`. */
  value: string
}

export interface Rtpmap {
  payloadType: number
  /** As written; compare with {@link isCodec}. */
  codec: string
  clockRate: number
  channels: number
}

export interface Extmap {
  id: number
  uri: string
}

export type Direction = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive'

export interface MediaSection {
  /** `video`, `audio`, `application` …, lower case. */
  kind: string
  port: number
  protocol: string
  /** Payload types, or the formats of another protocol, in their order. */
  formats: string[]
  payloadTypes: number[]
  /** Address of the section's own `c=` line, else the session's. */
  connection: string | undefined
  bandwidthKbps: number | undefined
  attributes: SdpAttribute[]
  /** By payload type; static types (RFC 3551) are filled in where a line is missing. */
  rtpmaps: Map<number, Rtpmap>
  /** By payload type: parameters with lower-case names. */
  fmtps: Map<number, Map<string, string>>
  extmaps: Extmap[]
  mid: string | undefined
  /** The section's own, else the session's, else `sendrecv`. */
  direction: Direction
  control: string | undefined
  setup: string | undefined
  iceUfrag: string | undefined
  icePwd: string | undefined
  /** `sha-256 AA:BB:…`, the section's own, else the session's. */
  fingerprint: string | undefined
  /** Without `a=`, as `candidate:…`. */
  candidates: string[]
  rtcpMux: boolean
}

export interface SessionDescription {
  /** `o=` line, unparsed. */
  origin: string | undefined
  name: string | undefined
  connection: string | undefined
  attributes: SdpAttribute[]
  media: MediaSection[]
}

const maxSdpBytes = 256 * 1024
const maxSections = 64

/** RFC 3551 §6, those that cameras use without an rtpmap line. */
const staticTypes: Record<number, [codec: string, clockRate: number, channels: number]> = {
  0: ['PCMU', 8000, 1],
  3: ['GSM', 8000, 1],
  8: ['PCMA', 8000, 1],
  9: ['G722', 8000, 1],
  10: ['L16', 44100, 2],
  11: ['L16', 44100, 1],
  14: ['MPA', 90000, 1],
  26: ['JPEG', 90000, 1],
  32: ['MPV', 90000, 1],
  33: ['MP2T', 90000, 1],
}

/**
 * @throws PorchlightError `sdp_invalid` where the text is larger than 256 KB, has more than 64 sections, or has neither a
 *   session nor a media line; never anything else.
 */
export function parseSdp(text: string): SessionDescription {
  if (text.length > maxSdpBytes) throw new PorchlightError('sdp_invalid', `${text.length} characters`)
  const session: SessionDescription = {
    origin: undefined,
    name: undefined,
    connection: undefined,
    attributes: [],
    media: [],
  }
  let section: MediaSection | undefined
  let known = 0
  for (const raw of text.split(/\r\n|\n|\r/)) {
    const line = raw.trim()
    if (line.length < 2 || line[1] !== '=') continue
    const value = line.slice(2).trim()
    known += 1
    switch (line[0]) {
      case 'm':
        if (session.media.length >= maxSections) throw new PorchlightError('sdp_invalid', 'too many sections')
        section = parseMediaLine(value)
        if (section !== undefined) session.media.push(section)
        break
      case 'c': {
        const address = value.split(/\s+/)[2]?.split('/')[0]
        if (section === undefined) session.connection = address
        else section.connection = address
        break
      }
      case 'b':
        if (section !== undefined && /^AS:\d+$/i.test(value)) section.bandwidthKbps = Number(value.slice(3))
        break
      case 'a':
        ;(section ?? session).attributes.push(parseAttribute(value))
        break
      case 'o':
        session.origin = value
        break
      case 's':
        session.name = value
        break
    }
  }
  if (known === 0) throw new PorchlightError('sdp_invalid', 'no line of a session description')
  for (const media of session.media) complete(media, session)
  return session
}

function parseAttribute(value: string): SdpAttribute {
  const colon = value.indexOf(':')
  if (colon === -1) return { name: value.toLowerCase(), value: '' }
  return { name: value.slice(0, colon).trim().toLowerCase(), value: value.slice(colon + 1).trim() }
}

function parseMediaLine(value: string): MediaSection | undefined {
  const [kind, port, protocol, ...formats] = value.split(/\s+/)
  if (kind === undefined || kind === '') return undefined
  return {
    kind: kind.toLowerCase(),
    port: Number.parseInt(port ?? '0', 10) || 0,
    protocol: protocol ?? '',
    formats,
    payloadTypes: formats.filter((format) => /^\d{1,3}$/.test(format) && Number(format) < 128).map(Number),
    connection: undefined,
    bandwidthKbps: undefined,
    attributes: [],
    rtpmaps: new Map(),
    fmtps: new Map(),
    extmaps: [],
    mid: undefined,
    direction: 'sendrecv',
    control: undefined,
    setup: undefined,
    iceUfrag: undefined,
    icePwd: undefined,
    fingerprint: undefined,
    candidates: [],
    rtcpMux: false,
  }
}

/** The first value of an attribute; undefined where it is not there. */
export function attribute(of: { attributes: SdpAttribute[] }, name: string): string | undefined {
  return of.attributes.find((one) => one.name === name)?.value
}

/** Sources that a section names (RFC 5576), each once. */
export function ssrcsOf(section: MediaSection): number[] {
  const ssrcs = new Set<number>()
  for (const { name, value } of section.attributes) {
    if (name !== 'ssrc') continue
    const ssrc = Number.parseInt(value, 10)
    if (ssrc > 0 && ssrc < 2 ** 32) ssrcs.add(ssrc)
  }
  return [...ssrcs].slice(0, mostSsrcs)
}

function complete(media: MediaSection, session: SessionDescription): void {
  for (const one of media.attributes) {
    switch (one.name) {
      case 'rtpmap':
        addRtpmap(media, one.value)
        break
      case 'fmtp':
        addFmtp(media, one.value)
        break
      case 'extmap': {
        const match = /^(\d{1,5})(?:\/\w+)?\s+(\S+)/.exec(one.value)
        if (match) media.extmaps.push({ id: Number(match[1]), uri: match[2]! })
        break
      }
      case 'candidate':
        media.candidates.push(`candidate:${one.value}`)
        break
      case 'rtcp-mux':
        media.rtcpMux = true
        break
    }
  }
  for (const payloadType of media.payloadTypes) {
    const known = staticTypes[payloadType]
    if (known !== undefined && !media.rtpmaps.has(payloadType)) {
      media.rtpmaps.set(payloadType, { payloadType, codec: known[0], clockRate: known[1], channels: known[2] })
    }
  }
  const inherited = (name: string) => attribute(media, name) ?? attribute(session, name)
  media.connection ??= session.connection
  media.mid = attribute(media, 'mid')
  media.direction = direction(media) ?? direction(session) ?? 'sendrecv'
  media.control = attribute(media, 'control')
  media.setup = inherited('setup')
  media.iceUfrag = inherited('ice-ufrag')
  media.icePwd = inherited('ice-pwd')
  media.fingerprint = inherited('fingerprint')
}

function direction(of: { attributes: SdpAttribute[] }): Direction | undefined {
  for (const { name } of of.attributes) {
    if (name === 'sendrecv' || name === 'sendonly' || name === 'recvonly' || name === 'inactive') return name
  }
  return undefined
}

function addRtpmap(media: MediaSection, value: string): void {
  // `96 H264/90000`, `97 opus/48000/2`; cameras leave the rate out or put blanks around the slash
  const match = /^(\d{1,3})\s+([\w.+-]+)(?:\s*\/\s*(\d+))?(?:\s*\/\s*(\d+))?/.exec(value)
  if (!match || Number(match[1]) > 127) return
  const payloadType = Number(match[1])
  const known = staticTypes[payloadType]
  const clockRate = Number(match[3] ?? 0) || known?.[1] || (media.kind === 'video' ? 90000 : 8000)
  media.rtpmaps.set(payloadType, { payloadType, codec: match[2]!, clockRate, channels: Number(match[4] ?? 1) || 1 })
}

function addFmtp(media: MediaSection, value: string): void {
  const match = /^(\d{1,3})\s+(.*)$/.exec(value)
  if (!match) return
  const payloadType = Number(match[1])
  const parameters = media.fmtps.get(payloadType) ?? new Map<string, string>()
  for (const part of match[2]!.split(';')) {
    const equals = part.indexOf('=')
    const name = (equals === -1 ? part : part.slice(0, equals)).trim().toLowerCase()
    if (name !== '') parameters.set(name, equals === -1 ? '' : part.slice(equals + 1).trim())
  }
  media.fmtps.set(payloadType, parameters)
}

/** Whether an rtpmap names this codec (names are compared without case, RFC 4855 §3). */
export function isCodec(rtpmap: Rtpmap | undefined, name: string): boolean {
  return rtpmap?.codec.toLowerCase() === name.toLowerCase()
}
