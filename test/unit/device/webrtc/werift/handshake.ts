import { X509Certificate } from 'node:crypto'
import { setImmediate as turn } from 'node:timers/promises'
import { DtlsClient } from 'werift'
import { type Certificate, makeCertificate } from '../../../../../device/webrtc/werift/certificate.ts'
import { DtlsGuard } from '../../../../../device/webrtc/werift/dtls-guard.ts'
import { type SrtpKeys, srtpProfiles } from '../../../../../device/webrtc/werift/srtp.ts'

/** Made once: they take longer than the tests. */
const [server, client] = [await makeCertificate(), await makeCertificate()]
export const certificates = { server, client, clientX509: new X509Certificate(client.certPem) }

export interface HandshakeOptions {
  /** What the client signs with; its own certificate's key where absent. */
  signsWith?: Certificate
  /** What is signalled of the client. */
  fingerprint?: string
  extendedMasterSecret?: boolean
  /** What becomes of a datagram of the client's: none, one or several. */
  toServer?: (datagram: Buffer) => Buffer[]
  toClient?: (datagram: Buffer) => Buffer[]
}

/** werift's DTLS client at the guard, without a network in between. */
export class Handshake {
  readonly client: DtlsClient
  readonly guard: DtlsGuard
  /** What the client sent, as it sent it. */
  readonly sent: Buffer[] = []
  /** What the guard sent. */
  readonly answered: Buffer[] = []
  refused: string | undefined
  closed = false
  keys: SrtpKeys | undefined

  constructor(options: HandshakeOptions = {}) {
    const { toServer = (one) => [one], toClient = (one) => [one] } = options
    const { client, server } = certificates
    const wire = {
      type: 'udp',
      address: { address: '', family: '', port: 0 },
      closed: false,
      onData: (_: Buffer) => undefined as unknown,
      send: async (datagram: Buffer) => {
        this.sent.push(datagram)
        for (const one of toServer(datagram)) setImmediate(() => this.guard.receive(one))
      },
      close: async () => undefined,
    }
    this.guard = new DtlsGuard({
      certificate: server,
      fingerprint: options.fingerprint ?? client.fingerprint,
      send: (datagram) => {
        this.answered.push(datagram)
        for (const one of toClient(datagram)) setImmediate(() => wire.onData(one))
      },
      verified: (keys) => {
        this.keys = keys
      },
      refused: (why) => {
        this.refused = why
      },
      closed: () => {
        this.closed = true
      },
    })
    this.client = new DtlsClient({
      transport: wire,
      cert: client.certPem,
      key: (options.signsWith ?? client).keyPem,
      signatureHash: client.signatureHash,
      srtpProfiles: [...srtpProfiles],
      extendedMasterSecret: options.extendedMasterSecret ?? true,
    })
    this.client.connect().catch(() => undefined) // it gives up where it is refused
  }

  /** The keys that the client has. */
  get clientKeys(): { localKey: Buffer; remoteKey: Buffer } {
    return this.client.extractSessionKeys(16, 12)
  }

  /** Lets everything under way happen. */
  async settle(): Promise<void> {
    for (let round = 0; round < 50; round += 1) await turn()
  }

  close(): void {
    this.guard.close()
    this.client.dtls.flight = Number.POSITIVE_INFINITY // ends its retransmissions
  }
}
