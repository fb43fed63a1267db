import { fingerprint } from './fake-engine.ts'

/** Session part of an offer that bundles these lines. */
export const whipHead = (...mids: string[]) => [
  'v=0',
  'o=- 1 1 IN IP4 0.0.0.0',
  's=-',
  't=0 0',
  `a=group:BUNDLE ${mids.join(' ')}`,
  `a=fingerprint:${fingerprint('AA')}`,
  'a=setup:actpass',
  'a=ice-ufrag:pubs',
  'a=ice-pwd:pubspubspubspubspubspubs',
]

/** One line as encoders offer it. @param codecs by payload type, e.g. `H264/90000` */
export function whipLine(
  mid: string,
  kind: 'video' | 'audio',
  codecs: Readonly<Record<number, string>>,
  extra: readonly string[] = [],
): string[] {
  const types = Object.keys(codecs)
  return [
    `m=${kind} 9 UDP/TLS/RTP/SAVPF ${types.join(' ')}`,
    `a=mid:${mid}`,
    'a=sendonly',
    'a=rtcp-mux',
    `a=ssrc:${kind === 'video' ? 1111 : 2222} cname:e`,
    ...types.flatMap((type) => [`a=rtpmap:${type} ${codecs[Number(type)]}`, `a=rtcp-fb:${type} nack pli`]),
    ...extra,
  ]
}

export const h264Line = whipLine('v', 'video', { 96: 'H264/90000' }, ['a=fmtp:96 packetization-mode=1'])
export const opusLine = whipLine('a', 'audio', { 111: 'opus/48000/2' })

export const whipOffer = (...lines: readonly string[]) => `${lines.join('\r\n')}\r\n`
/** Picture and sound, as OBS offers them. */
export const plainWhipOffer = whipOffer(...whipHead('v', 'a'), ...h264Line, ...opusLine)
