import { asPorchlightError, PorchlightError } from '@porchlight/proto/errors.ts'
import { isRtcp } from '@porchlight/proto/media/rtp.ts'
import type { Logger } from 'pino'
import type { Engine, EngineSession, SessionListener, SessionOptions, SessionState } from '../engine.ts'
import { type Certificate, makeCertificate } from './certificate.ts'
import { DtlsGuard } from './dtls-guard.ts'
import { IceAgent } from './ice-agent.ts'
import { MediaLines } from './media-lines.ts'
import { writeOffer } from './offer-sdp.ts'
import { readAnswer } from './remote-answer.ts'
import { Srtp } from './srtp.ts'

/** Candidates kept until the answer. */
const maxCandidates = 32
/** Answer → keys; later nobody waits any more, ms. */
const connectMs = 30_000

/**
 * Engine on werift's ICE, DTLS and SRTP, for machines that node-datachannel has no binary for. werift believes what it is
 * sent; so each of the three stands behind a guard of ours: IceAgent, DtlsGuard, Srtp. Of werift's media layer nothing is
 * used: packets go in and out as bytes. What we rely on and work around is pinned in test/unit/device/webrtc.
 */
export function weriftEngine(log: Logger): Engine {
  return { name: 'werift', open: (options, listener) => new Session(options, listener, log) }
}

class Session implements EngineSession {
  readonly #options: SessionOptions
  readonly #listener: SessionListener
  readonly #log: Logger
  readonly #ice: IceAgent
  readonly #lines: MediaLines
  readonly #candidates: string[] = []
  #certificate: Certificate | undefined
  #dtls: DtlsGuard | undefined
  #srtp: Srtp | undefined
  #deadline: NodeJS.Timeout | undefined
  #answered = false
  #over = false
  #closed = false

  constructor(options: SessionOptions, listener: SessionListener, log: Logger) {
    this.#options = options
    this.#listener = listener
    this.#log = log
    this.#lines = new MediaLines(options.media)
    this.#ice = new IceAgent({
      iceServers: options.iceServers,
      bindAddress: options.bindAddress,
      log,
      candidate: (text) => this.#candidate(text),
      data: (bytes) => this.#receive(bytes),
      failed: () => this.#end('failed'),
    })
  }

  async offer(): Promise<string> {
    try {
      this.#certificate = await makeCertificate()
      await this.#ice.gather()
    } catch (error) {
      throw this.#closed ? new PorchlightError('session_ended') : asPorchlightError(error)
    }
    if (this.#closed) throw new PorchlightError('session_ended')
    const { ufrag, password } = this.#ice
    return writeOffer(this.#options.media, { ufrag, password, fingerprint: this.#certificate.fingerprint })
  }

  answer(sdp: string): void {
    const answer = readAnswer(sdp)
    if (this.#over || this.#answered || this.#certificate === undefined) return
    this.#answered = true
    this.#lines.announce(answer.ssrcs)
    this.#dtls = new DtlsGuard({
      certificate: this.#certificate,
      fingerprint: answer.fingerprint,
      send: (datagram) => this.#ice.send(datagram),
      verified: (keys, profile) => {
        clearTimeout(this.#deadline)
        this.#srtp = new Srtp(keys, profile)
        this.#state('connected')
        this.#told(() => this.#listener.open())
      },
      refused: (why) => {
        this.#log.warn({ why }, 'DTLS refused')
        this.#end('failed')
      },
      closed: () => this.#end('closed'),
    })
    this.#deadline = setTimeout(() => this.#end('failed'), connectMs)
    for (const candidate of answer.candidates) this.#ice.addCandidate(candidate)
    this.#state('connecting')
    this.#ice.start(answer)
    for (const candidate of this.#candidates.splice(0)) this.#candidate(candidate)
  }

  addCandidate(candidate: string, _mid: string): void {
    this.#ice.addCandidate(candidate)
  }

  send(mid: string, packet: Uint8Array): boolean {
    if (this.#srtp === undefined || !this.#lines.has(mid)) return false
    const bytes = isRtcp(packet) ? this.#srtp.protectRtcp(packet) : this.#srtp.protectRtp(packet)
    if (bytes === undefined) return false
    this.#ice.send(bytes)
    return true
  }

  get roundTripMs(): number | undefined {
    return this.#ice.roundTripMs
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#stop()
  }

  /** By the first byte (RFC 7983 §7). */
  #receive(bytes: Buffer): void {
    const first = bytes[0]!
    if (first >= 20 && first <= 63) this.#dtls?.receive(bytes)
    else if (first >= 128 && first <= 191 && this.#srtp) this.#media(this.#srtp, bytes)
  }

  #media(srtp: Srtp, bytes: Buffer): void {
    if (isRtcp(bytes)) {
      const packet = srtp.unprotectRtcp(bytes)
      const mid = packet && this.#lines.ofRtcp(packet)
      if (packet && mid !== undefined) this.#told(() => this.#listener.rtcp(mid, packet))
    } else {
      const packet = srtp.unprotectRtp(bytes)
      const mid = packet && this.#lines.ofRtp(packet)
      if (packet && mid !== undefined) this.#told(() => this.#listener.rtp(mid, packet))
    }
  }

  #candidate(text: string): void {
    const mid = this.#options.media[0]?.mid ?? ''
    if (this.#answered) this.#told(() => this.#listener.candidate(text, mid))
    else if (this.#candidates.length < maxCandidates) this.#candidates.push(text)
  }

  #state(state: SessionState): void {
    this.#told(() => this.#listener.state(state))
  }

  #end(state: 'failed' | 'closed'): void {
    if (this.#over) return
    this.#stop()
    this.#state(state)
  }

  #stop(): void {
    this.#over = true
    clearTimeout(this.#deadline)
    this.#dtls?.close()
    this.#srtp = undefined
    this.#ice.close()
  }

  /** Nothing is told after `close()`, and a listener that fails is not the engine's affair. */
  #told(tell: () => void): void {
    if (this.#closed) return
    try {
      tell()
    } catch (error) {
      this.#log.error({ err: error }, 'session listener failed')
    }
  }
}
