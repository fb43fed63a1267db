/// <reference path="./wrtc.d.ts" />
import type { Relay } from '@porchlight/proto/messages/relay.ts'
import wrtc from '@roamhq/wrtc'
import { barcodeBits, barcodeBlocks, barcodeStrip } from '../../support/barcode.ts'
import type { PeerHalf } from './signaling.ts'

export const frameWidth = 320
export const frameHeight = 180
export const framesPerSecond = 10
/** What its microphone hears, Hz: another tone than the simulated camera's. */
export const toneHz = 660

const sampleRate = 48_000
const samplesPerBlock = sampleRate / 100

/**
 * libwebrtc sends VP9 (the first VP9 payload type of its offer) and Opus, and keeps the talk that it hears.
 * @param relay the only way that it may take
 */
export function openLibwebrtcPeer(heard: (samples: Int16Array, sampleRate: number) => void, relay?: Relay): PeerHalf {
  const connection = new wrtc.RTCPeerConnection(relay && { iceServers: [relay], iceTransportPolicy: 'relay' })
  const video = new wrtc.nonstandard.RTCVideoSource()
  const audio = new wrtc.nonstandard.RTCAudioSource()
  connection.addTransceiver(video.createTrack(), { direction: 'sendonly' })
  connection.addTransceiver(audio.createTrack(), { direction: 'sendonly' })
  const talk = connection.addTransceiver('audio', { direction: 'recvonly' })
  const sink = new wrtc.nonstandard.RTCAudioSink(talk.receiver.track)
  sink.ondata = ({ samples, sampleRate: rate }) => heard(samples, rate)

  const started = Date.now()
  const frames = setInterval(() => {
    const index = Math.floor(((Date.now() - started) * framesPerSecond) / 1000)
    video.onFrame({ width: frameWidth, height: frameHeight, data: drawFrame(index) })
  }, 1000 / framesPerSecond)
  let phase = 0
  const blocks = setInterval(() => {
    const samples = new Int16Array(samplesPerBlock)
    for (let i = 0; i < samples.length; i++)
      samples[i] = 12_000 * Math.sin((2 * Math.PI * toneHz * phase++) / sampleRate)
    audio.onData({ samples, sampleRate, bitsPerSample: 16, channelCount: 1, numberOfFrames: samplesPerBlock })
  }, 10)

  return {
    async offer() {
      const offer = await connection.createOffer()
      await connection.setLocalDescription({ type: 'offer', sdp: onlyVp9(offer.sdp) })
      await new Promise<void>((resolve) => {
        const check = () => connection.iceGatheringState === 'complete' && resolve()
        connection.onicegatheringstatechange = check
        check()
      })
      const sdp = connection.localDescription?.sdp
      if (!sdp) throw new Error('libwebrtc gave no offer')
      return sdp
    },
    answer: (sdp) => connection.setRemoteDescription({ type: 'answer', sdp }),
    close() {
      clearInterval(frames)
      clearInterval(blocks)
      sink.stop()
      connection.close()
    },
  }
}

/** I420: a grey picture whose brightness drifts, with the bar code of `index`. */
function drawFrame(index: number): Uint8ClampedArray {
  const data = new Uint8ClampedArray((frameWidth * frameHeight * 3) / 2).fill(128)
  const luma = data.subarray(0, frameWidth * frameHeight).fill(80 + (index % 64))
  const bits = barcodeBits(index % 0x10000)
  const blockWidth = frameWidth / barcodeBlocks
  for (let y = Math.ceil(frameHeight * (1 - barcodeStrip)); y < frameHeight; y++) {
    for (let x = 0; x < frameWidth; x++) luma[y * frameWidth + x] = bits[Math.floor(x / blockWidth)] ? 235 : 16
  }
  return data
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
