import type { TransportParameters } from '../webrtc/engine.ts'

export interface AnswerPayload {
  payloadType: number
  /** `H264/90000`, `opus/48000/2` */
  rtpmap: string
  fmtp: string | undefined
  /** `nack`, `nack pli`, `transport-cc` … */
  feedback: readonly string[]
}

/** One line of an answer; `accepted` undefined: the line is refused. */
export interface AnswerSection {
  kind: string
  /** Transport protocol and formats as offered: a refusal repeats them. */
  protocol: string
  formats: readonly string[]
  mid: string | undefined
  accepted:
    | {
        direction: 'sendonly' | 'recvonly'
        payloads: readonly AnswerPayload[]
        extensions: readonly { id: number; uri: string }[]
        /** Our sources, the retransmission's second. */
        ssrcs: readonly number[]
      }
    | undefined
}

/**
 * Writes an answer: lines in the offer's order, one transport for all of them (RFC 8843), rtcp-mux, every candidate inside.
 */
export function writeAnswer(sections: readonly AnswerSection[], transport: TransportParameters): string {
  const bundle = sections.filter((section) => section.accepted).map((section) => section.mid)
  const lines = [
    'v=0',
    // RFC 8866 §5.2: a session id of ours; the answer is never changed, so version 1.
    `o=porchlight ${BigInt(`0x${Buffer.from(transport.iceUfrag).toString('hex').slice(0, 15)}`)} 1 IN IP4 127.0.0.1`,
    's=-',
    't=0 0',
    `a=group:BUNDLE ${bundle.join(' ')}`,
    'a=msid-semantic: WMS porchlight',
  ]
  let first = true
  for (const section of sections) {
    const { accepted, kind, protocol, formats, mid } = section
    if (!accepted) {
      // RFC 3264 §6: refused with port 0; at least one format has to stand there.
      lines.push(`m=${kind} 0 ${protocol} ${formats[0] ?? '0'}`, 'c=IN IP4 0.0.0.0', 'a=inactive')
      if (mid !== undefined) lines.push(`a=mid:${mid}`)
      continue
    }
    lines.push(
      `m=${kind} 9 ${protocol} ${accepted.payloads.map((payload) => payload.payloadType).join(' ')}`,
      'c=IN IP4 0.0.0.0',
      'a=rtcp:9 IN IP4 0.0.0.0',
      `a=ice-ufrag:${transport.iceUfrag}`,
      `a=ice-pwd:${transport.icePwd}`,
      `a=fingerprint:${transport.fingerprint}`,
      `a=setup:${transport.setup}`,
      `a=mid:${mid}`,
      ...accepted.extensions.map(({ id, uri }) => `a=extmap:${id} ${uri}`),
      `a=${accepted.direction}`,
      'a=rtcp-mux',
      // RFC 9725 §4.4.1 and WHEP: said by both sides (RFC 8858).
      'a=rtcp-mux-only',
    )
    for (const payload of accepted.payloads) {
      lines.push(`a=rtpmap:${payload.payloadType} ${payload.rtpmap}`)
      lines.push(...payload.feedback.map((feedback) => `a=rtcp-fb:${payload.payloadType} ${feedback}`))
      if (payload.fmtp) lines.push(`a=fmtp:${payload.payloadType} ${payload.fmtp}`)
    }
    if (accepted.direction === 'sendonly') lines.push(`a=msid:porchlight ${kind}`)
    if (accepted.ssrcs.length > 1) lines.push(`a=ssrc-group:FID ${accepted.ssrcs.join(' ')}`)
    lines.push(...accepted.ssrcs.map((ssrc) => `a=ssrc:${ssrc} cname:porchlight`))
    if (first) lines.push(...transport.candidates.map((candidate) => `a=${candidate}`), 'a=end-of-candidates')
    first = false
  }
  return `${lines.join('\r\n')}\r\n`
}
