import { parseRtp } from '@porchlight/proto/media/rtp.ts'
import type { TalkSink } from '../camera/camera-source.ts'
import { audioLineCodec } from './offer-lines.ts'

/** Farther behind is not late but another talker's numbering. */
const lateWindow = 64

/** Takes a viewer's talk packets to the sink. Late and doubled ones are dropped: a loudspeaker cannot go back. */
export class TalkReceiver {
  readonly #sink: TalkSink
  readonly #payloadType: number
  #last: number | undefined

  constructor(sink: TalkSink) {
    this.#sink = sink
    this.#payloadType = audioLineCodec(sink.codec).payloadType
  }

  /** One RTP packet, as it came. */
  packet(bytes: Uint8Array): void {
    const packet = parseRtp(bytes)
    if (packet === undefined || packet.payload.length === 0 || packet.payloadType !== this.#payloadType) return
    const behind = this.#last === undefined ? -1 : ((this.#last - packet.sequence) << 16) >> 16
    if (behind >= 0 && behind < lateWindow) return
    this.#last = packet.sequence
    this.#sink.send(packet.payload, packet.timestamp)
  }
}
