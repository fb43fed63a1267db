import {
  createSelfSignedCertificate,
  HashAlgorithm,
  NamedCurveAlgorithm,
  RTCPeerConnection,
  RTCRtpCodecParameters,
  SignatureAlgorithm,
} from 'werift'
import type { Peer } from './engine-under-attack.ts'
import { lines } from './lines.ts'

const signatureHash = { hash: HashAlgorithm.sha256_4, signature: SignatureAlgorithm.ecdsa_3 }
const certificate = () => createSelfSignedCertificate(signatureHash, NamedCurveAlgorithm.secp256r1_23)

/**
 * A peer that shows a certificate whose fingerprint is the one of its SDP, and signs its handshake with another key.
 * It knows the ICE password: all that it lacks is the key. werift signs with whatever key it is given.
 */
export class KeylessPeer implements Peer {
  readonly #peer: RTCPeerConnection

  private constructor(peer: RTCPeerConnection) {
    this.#peer = peer
  }

  /** @param ownKey the certificate's own key, to see that nothing else is wrong with this peer */
  static async open({ ownKey }: { ownKey: boolean }): Promise<KeylessPeer> {
    const [shown, other] = [await certificate(), await certificate()]
    const { video, audio } = lines
    const h264 = { mimeType: 'video/H264', clockRate: 90_000, payloadType: video.payloadType }
    const opus = { mimeType: 'audio/opus', clockRate: 48_000, channels: 2, payloadType: audio.payloadType }
    const peer = new RTCPeerConnection({
      codecs: { video: [new RTCRtpCodecParameters(h264)], audio: [new RTCRtpCodecParameters(opus)] },
      iceServers: [],
      iceInterfaceAddresses: { udp4: '127.0.0.1' },
      iceAdditionalHostAddresses: ['127.0.0.1'],
      iceUseIpv6: false,
      iceUseTcp: false,
      dtls: { keys: { certPem: shown.certPem, keyPem: (ownKey ? shown : other).keyPem, signatureHash } },
    })
    return new KeylessPeer(peer)
  }

  async offer(): Promise<string> {
    this.#peer.addTransceiver('video', { direction: 'recvonly' })
    this.#peer.addTransceiver('audio', { direction: 'sendonly' })
    await this.#peer.setLocalDescription(await this.#peer.createOffer())
    return this.#peer.localDescription!.sdp
  }

  async accept(sdp: string): Promise<void> {
    await this.#peer.setRemoteDescription({ type: 'answer', sdp })
  }

  async answer(sdp: string): Promise<string> {
    await this.#peer.setRemoteDescription({ type: 'offer', sdp })
    await this.#peer.setLocalDescription(await this.#peer.createAnswer())
    return this.#peer.localDescription!.sdp
  }

  async close(): Promise<void> {
    await this.#peer.close()
  }
}
