import { randomInt } from 'node:crypto'
import type { MediaLine } from '../engine.ts'

/** What stands in an offer besides the media lines. */
export interface LocalTransport {
  ufrag: string
  password: string
  /** `sha-256 AB:CD:…` */
  fingerprint: string
}

/** Our offer: one bundle, DTLS server, no candidates (RFC 8829, RFC 8842). */
export function writeOffer(media: readonly MediaLine[], transport: LocalTransport): string {
  const session = [
    'v=0',
    `o=- ${randomInt(1, 2 ** 47)} 0 IN IP4 127.0.0.1`,
    's=-',
    't=0 0',
    `a=group:BUNDLE ${media.map((line) => line.mid).join(' ')}`,
    'a=msid-semantic:WMS *',
    'a=ice-options:ice2,trickle',
    `a=fingerprint:${transport.fingerprint}`,
  ]
  const lines = [...session, ...media.flatMap((line) => writeLine(line, transport))]
  return `${lines.join('\r\n')}\r\n`
}

function writeLine(line: MediaLine, { ufrag, password }: LocalTransport): string[] {
  const { payloadType, rtpmap, fmtp, feedback = [] } = line.codec
  return [
    `m=${line.kind} 9 UDP/TLS/RTP/SAVPF ${payloadType}`,
    'c=IN IP4 0.0.0.0',
    `a=mid:${line.mid}`,
    ...line.extensions.map(({ id, uri }) => `a=extmap:${id} ${uri}`),
    `a=${line.direction}`,
    ...(line.ssrc === undefined ? [] : [`a=ssrc:${line.ssrc} cname:porchlight`]),
    'a=rtcp-mux',
    `a=rtpmap:${payloadType} ${rtpmap}`,
    ...feedback.map((value) => `a=rtcp-fb:${payloadType} ${value}`),
    ...(fmtp === undefined ? [] : [`a=fmtp:${payloadType} ${fmtp}`]),
    'a=setup:passive',
    `a=ice-ufrag:${ufrag}`,
    `a=ice-pwd:${password}`,
  ]
}
