import { parseSps, profileLevelId } from '@porchlight/proto/media/h264.ts'
import type { Mp4Video } from '../mp4-source.ts'

export const videoType = 96

export interface Description {
  host: string
  video: Mp4Video
  audio: boolean
  /** Codec of the backchannel; undefined where it was not asked for. */
  backchannel: 'pcmu' | 'pcma' | undefined
}

/** Numbers of the tracks in control attributes. */
export const trackIds = { video: 0, audio: 1, backchannel: 2 } as const

/** The SDP of a stream, as an ONVIF camera writes it (ONVIF Streaming Specification §5.3: the backchannel is `sendonly`). */
export function describe({ host, video, audio, backchannel }: Description): string {
  const sets = video.parameterSets.map((set) => Buffer.from(set).toString('base64'))
  const sps = video.parameterSets[0] === undefined ? undefined : parseSps(video.parameterSets[0])
  const format =
    video.codec === 'h264'
      ? `packetization-mode=1;profile-level-id=${sps ? profileLevelId(sps) : '42c01f'};sprop-parameter-sets=${sets.join(',')}`
      : `sprop-vps=${sets[0]};sprop-sps=${sets[1]};sprop-pps=${sets[2]}`
  const lines = [
    'v=0',
    `o=- ${process.pid} 1 IN IP4 ${host}`,
    's=Porch',
    'c=IN IP4 0.0.0.0',
    't=0 0',
    'a=control:*',
    'a=range:npt=now-',
    `m=video 0 RTP/AVP ${videoType}`,
    `a=rtpmap:${videoType} ${video.codec === 'h264' ? 'H264' : 'H265'}/90000`,
    `a=fmtp:${videoType} ${format}`,
    `a=control:trackID=${trackIds.video}`,
    'a=recvonly',
  ]
  if (audio) {
    lines.push('m=audio 0 RTP/AVP 0', 'a=rtpmap:0 PCMU/8000', `a=control:trackID=${trackIds.audio}`, 'a=recvonly')
  }
  if (backchannel !== undefined) {
    const [type, name] = backchannel === 'pcmu' ? [0, 'PCMU'] : [8, 'PCMA']
    lines.push(
      `m=audio 0 RTP/AVP ${type}`,
      `a=rtpmap:${type} ${name}/8000`,
      `a=control:trackID=${trackIds.backchannel}`,
      'a=sendonly',
    )
  }
  return `${lines.join('\r\n')}\r\n`
}
