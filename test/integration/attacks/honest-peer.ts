import nodeDataChannel, { type PeerConnection, type Track } from 'node-datachannel'
import { until } from '../../support/until.ts'
import type { Peer } from './engine-under-attack.ts'
import { Inbox } from './inbox.ts'
import { lines } from './lines.ts'

/** The peer of a victim: takes the picture, sends the sound. */
export class HonestPeer implements Peer {
  readonly inbox = new Inbox()
  readonly #peer: PeerConnection
  readonly #tracks = new Map<string, Track>()

  constructor() {
    this.#peer = new nodeDataChannel.PeerConnection('honest', {
      iceServers: [],
      bindAddress: '127.0.0.1',
      disableAutoNegotiation: true,
      forceMediaTransport: true,
    })
    this.#peer.onTrack((track) => this.#take(track))
  }

  async offer(): Promise<string> {
    const { video, audio } = lines
    const picture = new nodeDataChannel.Video(video.mid, 'RecvOnly')
    picture.addH264Codec(video.payloadType)
    this.#take(this.#peer.addTrack(picture))
    const sound = new nodeDataChannel.Audio(audio.mid, 'SendOnly')
    sound.addOpusCodec(audio.payloadType)
    sound.addSSRC(audio.ssrc, 'peer')
    this.#take(this.#peer.addTrack(sound))
    return this.#describe('offer')
  }

  async accept(answer: string): Promise<void> {
    this.#peer.setRemoteDescription(answer, 'answer')
  }

  async answer(offer: string): Promise<string> {
    this.#peer.setRemoteDescription(offer, 'offer')
    const sdp = await this.#describe('answer')
    const { mid, ssrc } = lines.audio
    return sdp.replace(`a=mid:${mid}\r\n`, `a=mid:${mid}\r\na=ssrc:${ssrc} cname:peer\r\n`)
  }

  /** Sends a packet of the sound line; false where it is not open. */
  send(packet: Uint8Array): boolean {
    const track = this.#tracks.get(lines.audio.mid)
    return track?.isOpen() === true && track.sendMessageBinary(Buffer.from(packet))
  }

  close(): void {
    this.#tracks.clear()
    this.#peer.close()
  }

  #take(track: Track): void {
    this.#tracks.set(track.mid(), track)
    track.onMessage((bytes) => this.inbox.take(bytes))
  }

  async #describe(type: 'offer' | 'answer'): Promise<string> {
    this.#peer.setLocalDescription(type)
    await until('candidates', () => this.#peer.gatheringState() === 'complete')
    return this.#peer.localDescription()!.sdp
  }
}
