import { PorchlightError } from '@porchlight/proto/errors.ts'
import type { MediaSection } from '@porchlight/proto/media/sdp.ts'
import { usefulCandidates } from './candidates.ts'
import type { EngineTrack, TransportParameters } from './engine.ts'

/**
 * The transport half of an offer, from the section that carries the bundle. Every field is checked letter by letter,
 * because it is written again into the SDP that a native library parses.
 * @throws PorchlightError `sdp_invalid`
 */
export function remoteTransport(section: MediaSection): TransportParameters {
  const { iceUfrag, icePwd, fingerprint, setup } = section
  // RFC 8839 §5.4: ufrag 4–256, password 22–256 characters
  if (!iceUfrag || !/^[A-Za-z0-9+/]{4,256}$/.test(iceUfrag)) throw new PorchlightError('sdp_invalid', 'ice-ufrag')
  if (!icePwd || !/^[A-Za-z0-9+/]{22,256}$/.test(icePwd)) throw new PorchlightError('sdp_invalid', 'ice-pwd')
  if (!fingerprint || !/^sha-(256|384|512) [0-9A-F]{2}(:[0-9A-F]{2}){31,63}$/i.test(fingerprint)) {
    throw new PorchlightError('sdp_invalid', 'fingerprint')
  }
  if (setup !== 'actpass' && setup !== 'active' && setup !== 'passive')
    throw new PorchlightError('sdp_invalid', 'setup')
  return { iceUfrag, icePwd, fingerprint, setup, candidates: usefulCandidates(section.candidates) }
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
