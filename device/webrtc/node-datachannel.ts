import { asBuffer } from '@porchlight/proto/as-buffer.ts'
import { asPorchlightError, PorchlightError } from '@porchlight/proto/errors.ts'
import { isRtcp } from '@porchlight/proto/media/rtp.ts'
import { parseSdp } from '@porchlight/proto/media/sdp.ts'
import nodeDataChannel, { type PeerConnection, type Track } from 'node-datachannel'
import type { Logger } from 'pino'
import type { Engine, EngineSession, MediaLine, SessionListener, SessionOptions, SessionState } from './engine.ts'

/** Candidates kept until the answer. */
const maxCandidates = 32
/** What the library writes for every video codec by itself. */
const videoFeedback = ['nack', 'nack pli', 'goog-remb']

/**
 * Engine on node-datachannel (libdatachannel, libjuice, libsrtp). What we rely on is pinned in engine-contract.test.ts.
 * ICE waits for the answer, on both sides: the offer has no candidates, and the answer's are added after its description.
 * Else the library races with itself: its DTLS client's first packet comes before the other side has the answer (and
 * again a second later), or a certificate before the fingerprint it is compared with ("unknown CA").
 *
 * Its callbacks keep the process alive after the last session: a program ends by `process.exit`. The library's
 * `cleanup()` is not for that: called after sessions with tracks it crashes (SIGSEGV in 0.33.4).
 */
export function nodeDataChannelEngine(log: Logger): Engine {
  nodeDataChannel.initLogger('Warning', (level, message) => log.debug({ level, message }, 'libdatachannel'))
  return {
    name: 'node-datachannel',
    open: (options, listener) => new Session(options, listener, log),
  }
}

class Session implements EngineSession {
  readonly #log: Logger
  readonly #listener: SessionListener
  readonly #tracks = new Map<string, Track>()
  #peer: PeerConnection | undefined
  #waiting = 0
  #answered = false
  #abandon: () => void = () => undefined
  readonly #candidates: { candidate: string; mid: string }[] = []

  constructor(options: SessionOptions, listener: SessionListener, log: Logger) {
    this.#log = log
    this.#listener = listener
    const peer = new nodeDataChannel.PeerConnection('producer', {
      iceServers: [...options.iceServers],
      disableAutoNegotiation: true,
      forceMediaTransport: true,
      ...(options.bindAddress === undefined ? {} : { bindAddress: options.bindAddress }),
    })
    this.#peer = peer
    peer.onStateChange((state) => this.#told(() => this.#listener.state(state as SessionState)))
    peer.onLocalCandidate((candidate, mid) => {
      if (this.#answered) this.#told(() => this.#listener.candidate(candidate, mid))
      else if (this.#candidates.length < maxCandidates) this.#candidates.push({ candidate, mid })
    })
    for (const line of options.media) this.#addLine(peer, line)
  }

  async offer(): Promise<string> {
    const peer = this.#peer
    if (peer === undefined) throw new PorchlightError('session_ended')
    const { promise, resolve } = Promise.withResolvers<string>()
    peer.onLocalDescription((sdp) => resolve(sdp))
    this.#abandon = () => resolve('')
    try {
      peer.setLocalDescription('offer')
    } catch (error) {
      throw asPorchlightError(error)
    }
    const sdp = await promise
    if (sdp === '') throw new PorchlightError('session_ended')
    return withoutCandidates(sdp).replaceAll('a=setup:actpass', 'a=setup:passive')
  }

  answer(sdp: string): void {
    try {
      this.#peer?.setRemoteDescription(withoutCandidates(sdp), 'answer')
    } catch (error) {
      throw asPorchlightError(error, 'sdp_invalid')
    }
    const answer = parseSdp(sdp)
    const mid = answer.media[0]?.mid ?? ''
    for (const section of answer.media) {
      for (const candidate of section.candidates) this.addCandidate(candidate, section.mid ?? mid)
    }
    this.#answered = true
    for (const { candidate, mid } of this.#candidates.splice(0))
      this.#told(() => this.#listener.candidate(candidate, mid))
  }

  addCandidate(candidate: string, mid: string): void {
    try {
      this.#peer?.addRemoteCandidate(candidate, mid)
    } catch (error) {
      this.#log.debug({ err: error }, 'candidate ignored')
    }
  }

  send(mid: string, packet: Uint8Array): boolean {
    const track = this.#tracks.get(mid)
    if (track === undefined) return false
    try {
      // The line may close on another thread between the question and the sending: then it throws.
      return track.isOpen() && track.sendMessageBinary(asBuffer(packet))
    } catch (error) {
      this.#log.debug({ err: error, mid }, 'packet not sent')
      return false
    }
  }

  get roundTripMs(): number | undefined {
    const rtt = this.#peer?.rtt() ?? -1
    return rtt < 0 ? undefined : rtt
  }

  close(): void {
    const peer = this.#peer
    if (peer === undefined) return
    this.#peer = undefined
    this.#tracks.clear()
    this.#abandon()
    peer.close()
  }

  #addLine(peer: PeerConnection, line: MediaLine): void {
    const direction = line.direction === 'sendonly' ? 'SendOnly' : 'RecvOnly'
    const { Video, Audio } = nodeDataChannel
    const { payloadType, rtpmap, fmtp, feedback } = line.codec
    const media = line.kind === 'video' ? new Video(line.mid, direction) : new Audio(line.mid, direction)
    // The codec comes first: a feedback line ahead of it would leave an empty rtpmap behind.
    const profile: [string?] = fmtp === undefined ? [] : [fmtp] // the binding refuses an `undefined`
    if (media instanceof Video) media.addVideoCodec(payloadType, rtpmap, ...profile)
    else media.addAudioCodec(payloadType, rtpmap, ...profile)
    const already = line.kind === 'video' ? videoFeedback : []
    for (const value of feedback ?? []) {
      if (!already.includes(value)) media.parseSdpLine(`a=rtcp-fb:${payloadType} ${value}`)
    }
    for (const { id, uri } of line.extensions) media.parseSdpLine(`a=extmap:${id} ${uri}`)
    if (line.ssrc !== undefined) media.addSSRC(line.ssrc, 'porchlight')
    const track = peer.addTrack(media)
    this.#tracks.set(line.mid, track)
    this.#waiting++
    track.onOpen(() => {
      this.#waiting--
      if (this.#waiting === 0) this.#told(() => this.#listener.open())
    })
    track.onError((error) => this.#log.debug({ mid: line.mid, error }, 'line error'))
    track.onMessage((packet) => {
      this.#told(() => {
        if (isRtcp(packet)) this.#listener.rtcp(line.mid, packet)
        else this.#listener.rtp(line.mid, packet)
      })
    })
  }

  /** Callbacks come on the event loop, but may have been queued before `close()`; and none may throw into the library. */
  #told(tell: () => void): void {
    if (this.#peer === undefined) return
    try {
      tell()
    } catch (error) {
      this.#log.error({ err: error }, 'session listener failed')
    }
  }
}

function withoutCandidates(sdp: string): string {
  return sdp.replace(/^a=(?:candidate:|end-of-candidates).*\r?\n/gm, '')
}
