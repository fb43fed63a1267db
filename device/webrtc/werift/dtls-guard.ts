import { randomBytes, type X509Certificate } from 'node:crypto'
import type { Certificate } from './certificate.ts'
import { cookieOf, helloVerifyRequest, withoutCookie } from './client-hello.ts'
import {
  contentTypes,
  type DtlsRecord,
  handshakeRecord,
  handshakeTypes,
  parseHandshake,
  parseRecords,
} from './dtls-records.ts'
import { GuardedServer } from './dtls-server.ts'
import { HandshakeAssembly, type HandshakeMessage } from './handshake-assembly.ts'
import { isFinished, isSignedBy, signalledCertificate } from './handshake-proofs.ts'
import { ReplayWindow } from './replay-window.ts'
import type { SrtpKeys, SrtpProfile } from './srtp.ts'

export interface DtlsGuardOptions {
  certificate: Certificate
  /** The client's, as signalled: `sha-256 AB:CD:…`. */
  fingerprint: string
  send(datagram: Buffer): void
  /** The client has proven that it is who was signalled. Once. */
  verified(keys: SrtpKeys, profile: SrtpProfile): void
  /** It has shown that it is not, or speaks what we do not. Once, and nothing else comes after it. */
  refused(why: string): void
  /** The client, verified, says that it ends. */
  closed(): void
}

/** Records under keys that are not there yet. */
const maxHeld = 4
/** Nonce and tag of a record (RFC 5288 §3). */
const leastCiphertext = 8 + 16

/**
 * werift's DTLS server (RFC 6347) with what it leaves out in front of it: it gets whole messages, each once, in order; and
 * none before the guard has seen that the certificate is the signalled one, that the handshake is signed with its key, and
 * that the Finished under the keys fits. What is not under the keys afterwards is dropped.
 *
 * The cookie exchange is ours: werift takes a client's parameters from the hello without cookie, which anybody can send.
 * It is shown the hello with the cookie twice, the first time without it.
 */
export class DtlsGuard {
  readonly #options: DtlsGuardOptions
  readonly #server: GuardedServer
  readonly #cookie = randomBytes(20)
  #hello = new HandshakeAssembly(0)
  readonly #messages = new HandshakeAssembly(1)
  #certificate: X509Certificate | undefined
  #phase: 'hello' | 'proofs' | 'finished' | 'verified' | 'over' = 'hello'
  readonly #window = new ReplayWindow()
  #held: DtlsRecord[] = []

  constructor(options: DtlsGuardOptions) {
    this.#options = options
    this.#server = new GuardedServer({
      certificate: options.certificate,
      cookie: this.#cookie,
      send: (datagram) => this.#send(datagram),
      connected: () => this.#verified(),
    })
  }

  /** A datagram from the path that ICE has checked. Never throws. */
  receive(datagram: Buffer): void {
    for (const record of parseRecords(datagram)) {
      if (this.#phase === 'over') return
      if (record.epoch === 0) this.#plain(record)
      else if (record.epoch === 1) this.#sealed(record)
    }
  }

  /** Tells a verified client that we end. Idempotent. */
  close(): void {
    const verified = this.#phase === 'verified'
    // Its number is far from werift's, which counts from the beginning again in the middle.
    if (verified) this.#send(this.#server.seal(contentTypes.alert, 2 ** 32, Buffer.of(1, 0)))
    this.#phase = 'over'
    this.#held = []
    this.#server.stop()
  }

  #send(datagram: Buffer): void {
    if (this.#phase !== 'over') this.#options.send(datagram)
  }

  /** Only handshake messages, only until all of them are there: alerts in the clear are anybody's. */
  #plain({ type, fragment }: DtlsRecord): void {
    if (type !== contentTypes.handshake || (this.#phase !== 'hello' && this.#phase !== 'proofs')) return
    for (const piece of parseHandshake(fragment) ?? []) {
      if (piece.number === 0) this.#hello.add(piece)
      else this.#messages.add(piece)
    }
    if (this.#phase === 'hello') this.#helloWithoutCookie()
    for (let message = this.#messages.take(); message; message = this.#isOver ? undefined : this.#messages.take()) {
      const why = this.#message(message)
      if (why !== undefined) this.#refuse(why)
    }
  }

  /** Nothing is kept for it but the cookie that is the same for all: it may come again (RFC 6347 §4.2.1). */
  #helloWithoutCookie(): void {
    const message = this.#hello.take()
    if (message === undefined) return
    this.#hello = new HandshakeAssembly(0)
    if (message.type !== handshakeTypes.clientHello || cookieOf(message.body)?.length !== 0) return
    this.#send(handshakeRecord(handshakeTypes.helloVerifyRequest, 0, helloVerifyRequest(this.#cookie)))
  }

  /** @returns why the client is refused, if it is */
  #message(message: HandshakeMessage): string | undefined {
    switch (message.type) {
      case handshakeTypes.clientHello:
        return this.#clientHello(message)
      case handshakeTypes.certificate:
        return this.#clientCertificate(message)
      case handshakeTypes.clientKeyExchange:
        return this.#clientKeyExchange(message)
      case handshakeTypes.certificateVerify:
        return this.#certificateVerify(message)
      default:
        return `unexpected handshake message ${message.type}`
    }
  }

  #clientHello({ number, body }: HandshakeMessage): string | undefined {
    if (this.#phase !== 'hello') return 'a second ClientHello'
    // Somebody else's guess: the right one may still come.
    if (cookieOf(body)?.equals(this.#cookie) !== true) {
      this.#messages.await(number)
      return undefined
    }
    this.#server.take(handshakeTypes.clientHello, 0, withoutCookie(body), { muted: true })
    if (!this.#server.hasExtendedMasterSecret) return 'no extended master secret (RFC 7627)'
    if (this.#server.srtpProfile === undefined) return 'no SRTP profile in common'
    this.#server.take(handshakeTypes.clientHello, number, body)
    if (!this.#server.hasAnswered) return 'no cipher suite or curve in common'
    this.#phase = 'proofs'
    return undefined
  }

  #clientCertificate({ type, number, body }: HandshakeMessage): string | undefined {
    if (this.#phase !== 'proofs' || this.#certificate) return 'an unexpected certificate'
    this.#certificate = signalledCertificate(body, this.#options.fingerprint)
    if (this.#certificate === undefined) return 'the certificate is not the signalled one'
    this.#server.take(type, number, body)
    return undefined
  }

  #clientKeyExchange({ type, number, body }: HandshakeMessage): string | undefined {
    if (!this.#certificate || this.#server.hasKeys) return 'an unexpected key exchange'
    this.#server.take(type, number, body)
    return this.#server.hasKeys ? undefined : 'the key exchange fails'
  }

  #certificateVerify({ type, number, body }: HandshakeMessage): string | undefined {
    if (!this.#certificate || !this.#server.hasKeys) return 'an unexpected signature'
    if (!isSignedBy(this.#certificate, body, this.#server.transcript)) return 'the handshake is not signed'
    this.#server.take(type, number, body)
    this.#phase = 'finished'
    for (const record of this.#held.splice(0)) this.#sealed(record)
    return undefined
  }

  /** A record under the keys: Finished until the client is verified, then its alerts; there is nothing else for us in it. */
  #sealed(record: DtlsRecord): void {
    if (this.#phase === 'hello' || this.#phase === 'proofs') {
      if (this.#held.length < maxHeld) this.#held.push(record)
      return
    }
    if (record.fragment.length < leastCiphertext || !this.#window.isNew(record.sequence)) return
    const clear = this.#server.open(record)
    if (clear === undefined) return
    this.#window.take(record.sequence)
    if (record.type === contentTypes.handshake) this.#finished(clear, record)
    else if (record.type === contentTypes.alert && this.#phase === 'verified') this.#alert(clear)
  }

  /** Comes again where our own Finished was lost; werift then repeats it (RFC 6347 §4.2.4). */
  #finished(clear: Buffer, record: DtlsRecord): void {
    const [message, ...more] = parseHandshake(clear) ?? []
    if (message?.type !== handshakeTypes.finished || message.number !== this.#messages.next || more.length > 0) return
    if (message.body.length !== message.length) return
    if (this.#phase === 'finished') {
      const { masterSecret, transcript } = this.#server
      const fits = isFinished(message.body, masterSecret, transcript)
      if (!fits) {
        this.#refuse('Finished does not fit')
        return
      }
    }
    this.#server.takeRecord(record)
  }

  #verified(): void {
    const { srtpProfile } = this.#server
    if (this.#phase !== 'finished' || srtpProfile === undefined) return
    this.#phase = 'verified'
    this.#options.verified(this.#server.srtpKeys(srtpProfile), srtpProfile)
  }

  /** Fatal ones and close_notify end the connection (RFC 5246 §7.2). */
  #alert(clear: Buffer): void {
    const [level, description] = clear
    if (clear.length !== 2 || (level !== 2 && description !== 0)) return
    this.close()
    this.#options.closed()
  }

  #refuse(why: string): void {
    if (this.#phase === 'over') return
    this.close()
    this.#options.refused(why)
  }

  get #isOver(): boolean {
    return this.#phase === 'over'
  }
}
