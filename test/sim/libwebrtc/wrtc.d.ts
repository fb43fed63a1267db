/** The little of @roamhq/wrtc that the simulated device uses; the package brings no types. */
declare module '@roamhq/wrtc' {
  interface I420Frame {
    width: number
    height: number
    data: Uint8ClampedArray
  }
  interface Samples {
    samples: Int16Array
    sampleRate: number
    bitsPerSample: 16
    channelCount: number
    numberOfFrames: number
  }
  interface Track {
    stop(): void
  }
  interface Transceiver {
    receiver: { track: Track }
  }
  interface Configuration {
    iceServers?: readonly { urls: readonly string[]; username: string; credential: string }[]
    iceTransportPolicy?: 'relay'
  }
  class RTCPeerConnection {
    constructor(configuration?: Configuration)
    addTransceiver(kind: Track | 'audio', init: { direction: 'sendonly' | 'recvonly' }): Transceiver
    createOffer(): Promise<{ type: 'offer'; sdp: string }>
    setLocalDescription(description: { type: 'offer'; sdp: string }): Promise<void>
    setRemoteDescription(description: { type: 'answer'; sdp: string }): Promise<void>
    readonly localDescription: { sdp: string } | null
    readonly iceGatheringState: string
    readonly connectionState: string
    onicegatheringstatechange: (() => void) | null
    onconnectionstatechange: (() => void) | null
    close(): void
  }
  const nonstandard: {
    RTCVideoSource: new () => { createTrack(): Track; onFrame(frame: I420Frame): void }
    RTCAudioSource: new () => { createTrack(): Track; onData(samples: Samples): void }
    RTCAudioSink: new (track: Track) => { ondata: ((samples: Samples) => void) | null; stop(): void }
  }
  const wrtc: { RTCPeerConnection: typeof RTCPeerConnection; nonstandard: typeof nonstandard }
  export default wrtc
}
