/// <reference path="./wrtc.d.ts" />
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

export interface LibwebrtcPeer extends PeerHalf {
  readonly connection: InstanceType<typeof wrtc.RTCPeerConnection>
}

/**
 * libwebrtc sends a moving picture and a tone.
 * @param change what its offer is made into: as it comes it has every codec that it knows (VP8, VP9, AV1; Opus, G.711 …)
 */
export function openLibwebrtcPeer(change: (sdp: string) => string = (sdp) => sdp): LibwebrtcPeer {
  const connection = new wrtc.RTCPeerConnection()
  const video = new wrtc.nonstandard.RTCVideoSource()
  const audio = new wrtc.nonstandard.RTCAudioSource()
  connection.addTransceiver(video.createTrack(), { direction: 'sendonly' })
  connection.addTransceiver(audio.createTrack(), { direction: 'sendonly' })

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
    connection,
    async offer() {
      const offer = await connection.createOffer()
      await connection.setLocalDescription({ type: 'offer', sdp: change(offer.sdp) })
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
