import { DtlsServer } from 'werift'
import type { Certificate } from './certificate.ts'
import { type DtlsRecord, handshakeRecord, writeRecord } from './dtls-records.ts'
import { type SrtpKeys, type SrtpProfile, srtpProfiles } from './srtp.ts'

export interface GuardedServerOptions {
  certificate: Certificate
  /** That of our HelloVerifyRequest: werift believes a hello that brings it. */
  cookie: Buffer
  send(datagram: Buffer): void
  /** werift has taken the client's Finished, and sent its own. Once. */
  connected(): void
}

/** werift's DTLS server, without a network: what the guard lets through goes in, what it answers comes out. */
export class GuardedServer {
  readonly #server: DtlsServer
  readonly #wire = {
    type: 'udp',
    address: { address: '', family: '', port: 0 },
    closed: false,
    onData: (_record: Buffer) => undefined as unknown,
    send: async (datagram: Buffer) => {
      if (!this.#muted) this.#send(datagram)
    },
    close: async () => undefined,
  }
  readonly #send: (datagram: Buffer) => void
  #muted = false

  constructor({ certificate, cookie, send, connected }: GuardedServerOptions) {
    const { certPem, keyPem, signatureHash } = certificate
    this.#send = send
    this.#server = new DtlsServer({
      cert: certPem,
      key: keyPem,
      signatureHash,
      transport: this.#wire,
      srtpProfiles: [...srtpProfiles],
      extendedMasterSecret: true,
      certificateRequest: true,
    })
    this.#server.dtls.cookie = cookie
    this.#server.onConnect.once(connected)
  }

  /** A whole handshake message in the clear. @param muted what werift answers is not sent */
  take(type: number, number: number, body: Buffer, { muted = false } = {}): void {
    this.#muted = muted
    this.#wire.onData(handshakeRecord(type, number, body))
    this.#muted = false
  }

  /** A record as the client has sent it. */
  takeRecord({ bytes }: DtlsRecord): void {
    this.#wire.onData(bytes)
  }

  /** Whether the client offers to bind the keys to the handshake (RFC 7627). werift says that it does, in any case. */
  get hasExtendedMasterSecret(): boolean {
    return this.#server.dtls.remoteExtendedMasterSecret
  }

  get srtpProfile(): SrtpProfile | undefined {
    return this.#server.srtp.srtpProfile
  }

  /** Whether suite and curve were agreed on: ServerHello to ServerHelloDone are out. */
  get hasAnswered(): boolean {
    return this.#server.dtls.flight === 4
  }

  get hasKeys(): boolean {
    return this.#server.cipher.cipher !== undefined
  }

  get masterSecret(): Buffer {
    return this.#server.cipher.masterSecret
  }

  /** All messages so far that count, in order (RFC 5246 §7.4.9). */
  get transcript(): Buffer {
    return Buffer.concat(this.#server.dtls.sortedHandshakeCache.map((message) => message.serialize()))
  }

  /** RFC 5764 §4.2. */
  srtpKeys(profile: SrtpProfile): SrtpKeys {
    const keys = this.#server.extractSessionKeys(16, profile === srtpProfiles[0] ? 12 : 14)
    return {
      localMasterKey: keys.localKey,
      localMasterSalt: keys.localSalt,
      remoteMasterKey: keys.remoteKey,
      remoteMasterSalt: keys.remoteSalt,
    }
  }

  /** What is in a record of the client's; undefined where it was not made with the keys. */
  open({ type, sequence, fragment }: DtlsRecord): Buffer | undefined {
    try {
      return this.#server.cipher.decryptPacket(asPlaintext(type, sequence, fragment))
    } catch {
      return undefined
    }
  }

  /** A record of ours. @param sequence apart from werift's numbers, or a nonce is used twice */
  seal(type: number, sequence: number, content: Buffer): Buffer {
    const { fragment } = this.#server.cipher.encryptPacket(asPlaintext(type, sequence, content))
    return writeRecord(type, 1, sequence, fragment)
  }

  /** Ends werift's retransmissions. */
  stop(): void {
    this.#server.dtls.flight = Number.POSITIVE_INFINITY
  }
}

type Plaintext = Parameters<DtlsServer['cipher']['decryptPacket']>[0]

function asPlaintext(contentType: number, sequenceNumber: number, fragment: Buffer): Plaintext {
  const protocolVersion = { major: 0xfe, minor: 0xfd }
  const recordLayerHeader = { contentType, protocolVersion, epoch: 1, sequenceNumber, contentLen: fragment.length }
  return { recordLayerHeader, fragment } as Plaintext
}
