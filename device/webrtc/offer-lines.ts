import type { AccessUnit, AudioFormat, VideoFormat } from '@porchlight/proto/media/access-unit.ts'
import { h264Nal, nalType, parseSps, profileLevelId } from '@porchlight/proto/media/h264.ts'
import {
  absCaptureTimeId,
  absCaptureTimeUri,
  frameNumberId,
  frameNumberUri,
  transportCcId,
  transportCcUri,
} from '@porchlight/proto/media/rtp-extensions.ts'
import type { TalkSink } from '../camera/camera-source.ts'
import type { LineCodec, MediaLine } from './engine.ts'

/** Names of our media sections. */
export const mids = { video: 'v', sub: 's', audio: 'a', talk: 't' } as const

const videoPayloadTypes = { h264: 96, h265: 97, vp8: 98, vp9: 99, av1: 100 } as const
const videoFeedback = ['nack', 'nack pli', 'transport-cc'] as const
/** Constrained baseline 3.1, where no SPS says otherwise (RFC 6184 §8.1 needs one). */
const usualProfile = '42e01f'

const extensions = [
  { id: frameNumberId, uri: frameNumberUri },
  { id: absCaptureTimeId, uri: absCaptureTimeUri },
  { id: transportCcId, uri: transportCcUri },
] as const

/** Codecs of sound that a browser plays as they are. */
export type LiveAudioCodec = 'opus' | 'pcmu' | 'pcma'

export function isLiveAudioCodec(codec: AudioFormat['codec']): codec is LiveAudioCodec {
  return codec !== 'aac'
}

/** Payload type and parameters of a codec of sound. */
export function audioLineCodec(codec: LiveAudioCodec): LineCodec {
  const feedback = ['nack', 'transport-cc']
  if (codec === 'pcmu') return { payloadType: 0, rtpmap: 'PCMU/8000', feedback }
  if (codec === 'pcma') return { payloadType: 8, rtpmap: 'PCMA/8000', feedback }
  // RFC 7587 §7: always written with two channels, whatever is inside.
  return { payloadType: 111, rtpmap: 'opus/48000/2', fmtp: 'minptime=10;useinbandfec=1', feedback }
}

/** @param keyframe the newest one, for the profile in its SPS */
export function videoLineCodec(format: VideoFormat, keyframe: AccessUnit | undefined): LineCodec {
  const payloadType = videoPayloadTypes[format.codec]
  const feedback = videoFeedback
  switch (format.codec) {
    case 'h264': {
      const nal = keyframe?.data.find((one) => nalType(one) === h264Nal.sps)
      const sps = nal === undefined ? undefined : parseSps(nal)
      const profile = sps === undefined ? usualProfile : profileLevelId(sps)
      const fmtp = `level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=${profile}`
      return { payloadType, rtpmap: 'H264/90000', fmtp, feedback }
    }
    case 'h265':
      return { payloadType, rtpmap: 'H265/90000', feedback }
    case 'vp8':
      return { payloadType, rtpmap: 'VP8/90000', feedback }
    case 'vp9':
      return { payloadType, rtpmap: 'VP9/90000', fmtp: 'profile-id=0', feedback }
    case 'av1':
      return { payloadType, rtpmap: 'AV1/90000', feedback }
  }
}

/**
 * The media sections of a producer's offer: picture, the camera's sound, talk, and the picture's small layer; all but the
 * first where there are any. A second line of video is the small layer.
 */
export function offerLines(facts: {
  video: LineCodec
  videoSsrc: number
  audio: LineCodec | undefined
  audioSsrc: number
  talk: TalkSink['codec'] | undefined
  sub?: { codec: LineCodec; ssrc: number } | undefined
}): MediaLine[] {
  const { video, videoSsrc, audio, audioSsrc, talk, sub } = facts
  const lines: MediaLine[] = [
    { mid: mids.video, kind: 'video', direction: 'sendonly', codec: video, ssrc: videoSsrc, extensions },
  ]
  if (audio) {
    lines.push({ mid: mids.audio, kind: 'audio', direction: 'sendonly', codec: audio, ssrc: audioSsrc, extensions })
  }
  if (talk !== undefined) {
    const codec = { ...audioLineCodec(talk), feedback: [] }
    lines.push({ mid: mids.talk, kind: 'audio', direction: 'recvonly', codec, extensions: [] })
  }
  if (sub) lines.push({ mid: mids.sub, kind: 'video', direction: 'sendonly', ...sub, extensions })
  return lines
}
