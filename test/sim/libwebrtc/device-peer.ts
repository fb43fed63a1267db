/// <reference path="./wrtc.d.ts" />
import wrtc from '@roamhq/wrtc'
import { openLibwebrtcPeer } from './peer.ts'
import type { PeerHalf } from './signaling.ts'

/** A device's half: VP9 (the first VP9 payload type of the offer) and Opus, and the talk that it hears. */
export function openDevicePeer(heard: (samples: Int16Array, sampleRate: number) => void): PeerHalf {
  const peer = openLibwebrtcPeer(onlyVp9)
  const talk = peer.connection.addTransceiver('audio', { direction: 'recvonly' })
  const sink = new wrtc.nonstandard.RTCAudioSink(talk.receiver.track)
  sink.ondata = ({ samples, sampleRate }) => heard(samples, sampleRate)
  return {
    ...peer,
    close() {
      sink.stop()
      peer.close()
    },
  }
}

/** Leaves VP9 profile 0 as the only codec of the video line, and its own SSRC (not that of retransmissions). */
function onlyVp9(sdp: string): string {
  const payloadType = /^a=rtpmap:(\d+) VP9\/90000/m.exec(sdp)?.[1]
  if (!payloadType) throw new Error('this libwebrtc has no VP9')
  return sdp
    .split(/(?=^m=)/m)
    .map((section) => {
      if (!section.startsWith('m=video')) return section
      const own = /^a=ssrc:(\d+)/m.exec(section)?.[1]
      const lines = section.split('\r\n').filter((line) => {
        const codec = /^a=(?:rtpmap|fmtp|rtcp-fb):(\d+)/.exec(line)?.[1]
        const ssrc = /^a=ssrc:(\d+)/.exec(line)?.[1]
        if (line.startsWith('a=ssrc-group')) return false
        return (codec === undefined || codec === payloadType) && (ssrc === undefined || ssrc === own)
      })
      lines[0] = lines[0]!.replace(/(SAVPF).*/, `$1 ${payloadType}`)
      return lines.join('\r\n')
    })
    .join('')
}
