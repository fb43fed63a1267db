import { barcodeReaderSource } from '../support/barcode.ts'

/** What a join gave, times in ms since the Unix epoch on this machine's clock. */
export interface Join {
  tapMs: number
  answerMs: number
  connectedMs: number | undefined
  frames: { atMs: number; barcode: number | undefined }[]
  /** RTP packets of sound lost for good. */
  soundLost: number
  framesDropped: number
}

/**
 * Source of a function for the page: `(url, headers, { relayPort, rttMs, seconds }) => Promise<Join>`. It makes the video
 * element anew, taps, and watches for so many seconds after the first picture.
 */
export const joinSource = `(async (url, headers, { relayPort, rttMs, seconds }) => {
  const read = ${barcodeReaderSource}
  const epoch = performance.timeOrigin
  document.body.replaceChildren()
  const video = document.createElement('video')
  video.autoplay = video.playsInline = video.muted = true
  document.body.append(video)
  const frames = []
  let first
  const seen = new Promise((resolve) => { first = resolve })
  const note = (_, frame) => {
    frames.push({ atMs: epoch + frame.expectedDisplayTime, barcode: read(video) })
    first()
    video.requestVideoFrameCallback(note)
  }
  video.requestVideoFrameCallback(note)
  const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
  const tapMs = epoch + performance.now()
  const peer = new RTCPeerConnection({ bundlePolicy: 'max-bundle' })
  const stream = new MediaStream()
  video.srcObject = stream
  peer.ontrack = ({ track }) => stream.addTrack(track)
  let connectedMs
  peer.onconnectionstatechange = () => {
    if (peer.connectionState === 'connected') connectedMs ??= epoch + performance.now()
  }
  peer.addTransceiver('video', { direction: 'recvonly' })
  peer.addTransceiver('audio', { direction: 'recvonly' })
  await peer.setLocalDescription()
  // Behind the relay the gateway must not find a way around it.
  const sdp = relayPort ? peer.localDescription.sdp.replace(/a=candidate:.*\\r\\n/g, '') : peer.localDescription.sdp
  if (rttMs) await pause(rttMs)
  const reply = await fetch(url, { method: 'POST', headers: { ...headers, 'content-type': 'application/sdp' }, body: sdp })
  if (reply.status !== 201) throw new Error('WHEP: ' + reply.status + ' ' + (await reply.text()))
  let answer = await reply.text()
  const answerMs = epoch + performance.now()
  if (relayPort) answer = answer.replace(/(a=candidate:\\S+ 1 UDP \\d+) \\S+ \\d+/g, '$1 127.0.0.1 ' + relayPort)
  await peer.setRemoteDescription({ type: 'answer', sdp: answer })
  await Promise.race([seen, pause(15000)])
  await pause(seconds * 1000)
  let soundLost = 0
  let framesDropped = 0
  for (const entry of (await peer.getStats()).values()) {
    if (entry.type !== 'inbound-rtp') continue
    if (entry.kind === 'audio') soundLost = entry.packetsLost
    else framesDropped = entry.framesDropped
  }
  const location = reply.headers.get('location')
  if (location) await fetch(new URL(location, url), { method: 'DELETE', headers })
  peer.close()
  return { tapMs, answerMs, connectedMs, frames, soundLost, framesDropped }
})`
