import type {
  EngineSession,
  EngineTrack,
  SessionEvents,
  TransportParameters,
  TransportState,
  WebRtcEngine,
} from '../../gateway/webrtc/engine.ts'

export const fingerprint = (byte: string) => `sha-256 ${Array.from({ length: 32 }, () => byte).join(':')}`

/** A session without a network: the test says what the transport does and sees what was sent. */
export class FakeSession implements EngineSession {
  readonly local: Promise<TransportParameters> = Promise.resolve({
    iceUfrag: 'gate',
    icePwd: 'gategategategategategate',
    fingerprint: fingerprint('BB'),
    setup: 'active',
    candidates: ['candidate:1 1 UDP 2114977791 127.0.0.1 4880 typ host'],
  })
  state: TransportState = 'connecting'
  remoteAddress: string | undefined
  readonly id: string
  readonly remote: TransportParameters
  readonly tracks: readonly EngineTrack[]
  readonly events: SessionEvents
  readonly sent: { mid: string; bytes: Buffer }[] = []
  readonly candidates: string[] = []
  closed = false

  constructor(id: string, remote: TransportParameters, tracks: readonly EngineTrack[], events: SessionEvents) {
    this.id = id
    this.remote = remote
    this.tracks = tracks
    this.events = events
  }

  addRemoteCandidate(candidate: string): void {
    this.candidates.push(candidate)
  }

  send(mid: string, bytes: Uint8Array): boolean {
    this.sent.push({ mid, bytes: Buffer.from(bytes) })
    return true
  }

  /** The transport has come to this state. */
  become(state: TransportState): void {
    this.state = state
    if (state === 'connected') {
      this.remoteAddress = '127.0.0.1:50000'
      this.events.path?.()
    }
    this.events.state(state)
    if (state === 'connected') for (const track of this.tracks) this.events.open(track.mid)
  }

  async close(): Promise<void> {
    this.closed = true
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}

export class FakeEngine implements WebRtcEngine {
  readonly name = 'fake'
  readonly sessions: FakeSession[] = []

  answer(id: string, remote: TransportParameters, tracks: readonly EngineTrack[], events: SessionEvents): FakeSession {
    const session = new FakeSession(id, remote, tracks, events)
    this.sessions.push(session)
    return session
  }

  async close(): Promise<void> {
    await Promise.all(this.sessions.map((session) => session.close()))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}
