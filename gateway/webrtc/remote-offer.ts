import { PorchlightError } from '@porchlight/proto/errors.ts'
import type { MediaSection } from '@porchlight/proto/media/sdp.ts'
import { iceAndDtls } from '@porchlight/proto/media/sdp-transport.ts'
import { usefulCandidates } from './candidates.ts'
import type { EngineTrack, TransportParameters } from './engine.ts'

/**
 * The transport half of an offer, from the section that carries the bundle. Every field is checked, because it is written
 * again into the SDP that a native library parses.
 * @throws PorchlightError `sdp_invalid`
 */
export function remoteTransport(section: MediaSection): TransportParameters {
  const { setup } = section
  const own = iceAndDtls(section)
  if (setup !== 'actpass' && setup !== 'active' && setup !== 'passive')
    throw new PorchlightError('sdp_invalid', 'setup')
  return { ...own, setup, candidates: usefulCandidates(section.candidates) }
}

/** The least offer that brings a library to the same session as the real one: our words, the other side's parameters. */
export function remoteOfferSdp(remote: TransportParameters, tracks: readonly EngineTrack[]): string {
  const lines = [
    'v=0',
    'o=- 1 1 IN IP4 0.0.0.0',
    's=-',
    't=0 0',
    `a=group:BUNDLE ${tracks.map((track) => track.mid).join(' ')}`,
    'a=ice-options:trickle',
    `a=fingerprint:${remote.fingerprint}`,
  ]
  for (const [index, track] of tracks.entries()) {
    lines.push(
      `m=${track.kind} 9 UDP/TLS/RTP/SAVPF ${track.payloadType}`,
      'c=IN IP4 0.0.0.0',
      `a=mid:${track.mid}`,
      // From the other side it is the other way round.
      track.direction === 'sendonly' ? 'a=recvonly' : 'a=sendonly',
      'a=rtcp-mux',
      `a=rtpmap:${track.payloadType} ${track.kind === 'video' ? 'H264/90000' : 'opus/48000/2'}`,
      `a=setup:${remote.setup}`,
      `a=ice-ufrag:${remote.iceUfrag}`,
      `a=ice-pwd:${remote.icePwd}`,
    )
    for (const ssrc of track.remoteSsrcs) lines.push(`a=ssrc:${ssrc} cname:peer`)
    if (index === 0) lines.push(...remote.candidates.map((candidate) => `a=${candidate}`))
  }
  return `${lines.join('\r\n')}\r\n`
}
