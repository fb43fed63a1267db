import type { Browser, Page } from 'playwright-core'
import type { Answer, MockGateway } from './mock-gateway.ts'

/**
 * Runs in a page: a picture that moves (small, so that a busy machine keeps up) and a tone, answered to every WHEP offer;
 * hears what is said to it.
 */
const script = `
  const canvas = document.createElement('canvas')
  canvas.width = 320
  canvas.height = 180
  const pen = canvas.getContext('2d')
  let frame = 0
  setInterval(() => {
    const night = pen.createLinearGradient(0, 0, 0, 180)
    night.addColorStop(0, '#26354d')
    night.addColorStop(1, '#5d4a35')
    pen.fillStyle = night
    pen.fillRect(0, 0, 320, 180)
    pen.fillStyle = '#8a5a2b'
    pen.fillRect(125, 45, 70, 135)
    pen.fillStyle = '#ffc873'
    pen.fillRect(215, 60, 20, 30)
    pen.fillStyle = '#f4efe6'
    pen.fillRect((frame * 3) % 320, 150, 20, 30)
    pen.fillText(String(frame++), 20, 20)
  }, 100)
  const audio = new AudioContext()
  const tone = new OscillatorNode(audio, { frequency: 440 })
  const out = new MediaStreamAudioDestinationNode(audio)
  tone.connect(out)
  tone.start()
  const peers = new Map()
  window.answer = async (id, offer) => {
    const pc = new RTCPeerConnection()
    peers.set(id, { pc, heard: 0 })
    await pc.setRemoteDescription({ type: 'offer', sdp: offer })
    const [video, sound, talk] = pc.getTransceivers()
    await video.sender.replaceTrack(canvas.captureStream(10).getVideoTracks()[0])
    video.direction = 'sendonly'
    await sound.sender.replaceTrack(out.stream.getAudioTracks()[0])
    sound.direction = 'sendonly'
    if (talk) {
      talk.direction = 'recvonly'
      const element = new Audio()
      element.muted = true
      element.srcObject = new MediaStream([talk.receiver.track])
    }
    await pc.setLocalDescription()
    while (pc.iceGatheringState !== 'complete')
      await new Promise((resolve) => pc.addEventListener('icegatheringstatechange', resolve, { once: true }))
    return pc.localDescription.sdp
  }
  window.talkBytes = async (id) => {
    let bytes = 0
    const stats = await peers.get(id).pc.getTransceivers()[2].receiver.getStats()
    stats.forEach((entry) => { if (entry.type === 'inbound-rtp') bytes += entry.bytesReceived })
    return bytes
  }
  window.freeze = () => {
    for (const { pc } of peers.values()) for (const sender of pc.getSenders()) sender.replaceTrack(null)
  }
  window.hangUp = () => {
    for (const { pc } of peers.values()) pc.close()
  }
  undefined
`

/** A camera made of a page of the same browser: real libwebrtc on both ends, and no codec of ours. */
export interface CameraPage {
  /** Sessions answered so far, oldest first. */
  sessions: string[]
  /** Bytes of talk that came to a session. */
  talkBytes(session: string): Promise<number>
  /** Stops sending and keeps the connection. */
  freeze(): Promise<void>
  /** Ends all connections. */
  hangUp(): Promise<void>
  close(): Promise<void>
}

/** Lets every WHEP offer to the mock be answered by such a page. */
export async function openCameraPage(browser: Browser, gateway: MockGateway): Promise<CameraPage> {
  const page: Page = await browser.newPage()
  await page.goto('about:blank')
  await page.evaluate(script)
  const sessions: string[] = []
  gateway.routes.push(async (method, path, body): Promise<Answer> => {
    if (method !== 'POST' || !path.endsWith('/whep')) return undefined
    const id = `session-${sessions.length + 1}`
    const sdp = await page.evaluate<string>(`answer(${JSON.stringify(id)}, ${JSON.stringify(body)})`)
    sessions.push(id)
    return {
      status: 201,
      headers: { 'content-type': 'application/sdp', location: `/api/whep/${id}` },
      body: sdp,
    }
  })
  return {
    sessions,
    talkBytes: (session) => page.evaluate<number>(`talkBytes(${JSON.stringify(session)})`),
    freeze: () => page.evaluate('freeze()'),
    hangUp: () => page.evaluate('hangUp()'),
    close: () => page.close(),
  }
}
