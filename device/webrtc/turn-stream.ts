import { PorchlightError } from '@porchlight/proto/errors.ts'
import { padded, stunHeaderBytes } from '@porchlight/proto/net/stun.ts'

/**
 * Takes a TURN server's byte stream apart into the messages that would be datagrams over UDP (RFC 8656 §12.5). Less than one
 * message is kept, and that has at most 64 KB: its length is a field of 16 bits.
 */
export class TurnStream {
  #bytes: Buffer = Buffer.alloc(0)

  /**
   * @returns the messages that are whole by now, without padding
   * @throws PorchlightError `message_invalid` where the bytes are neither STUN nor ChannelData; the stream is then of no use
   */
  push(chunk: Uint8Array): Buffer[] {
    this.#bytes = Buffer.concat([this.#bytes, chunk])
    const messages: Buffer[] = []
    for (;;) {
      const length = messageLength(this.#bytes)
      if (length === undefined || this.#bytes.length < padded(length)) return messages
      messages.push(this.#bytes.subarray(0, length))
      this.#bytes = this.#bytes.subarray(padded(length))
    }
  }

  /** Bytes that wait for the rest of their message. */
  get waiting(): number {
    return this.#bytes.length
  }
}

/** A datagram as it goes into the stream: ChannelData is padded there. */
export function toStream(datagram: Uint8Array): Buffer {
  const bytes = Buffer.alloc(padded(datagram.length))
  bytes.set(datagram)
  return bytes
}

function messageLength(bytes: Buffer): number | undefined {
  if (bytes.length < 4) return undefined
  // RFC 8656 §12: the two highest bits are 00 of STUN, 01 of ChannelData.
  const kind = bytes[0]! >> 6
  if (kind > 1) throw new PorchlightError('message_invalid', 'neither STUN nor ChannelData')
  return bytes.readUInt16BE(2) + (kind === 0 ? stunHeaderBytes : 4)
}
