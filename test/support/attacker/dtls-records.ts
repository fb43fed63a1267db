import { randomBytes } from 'node:crypto'

/** RFC 5246 §6.2.1. */
const contentTypes = { alert: 21, handshake: 22, applicationData: 23 } as const

interface RecordOptions {
  type: keyof typeof contentTypes
  /** 0: in the clear; 1: under the keys of the first handshake. */
  epoch: 0 | 1
  /** Later than all that the peer has sent, else a replay window would drop it. */
  sequence?: number
  fragment: Buffer
}

/** One record of DTLS 1.2 (RFC 6347 §4.1). */
function record({ type, epoch, sequence = 2 ** 32, fragment }: RecordOptions): Buffer {
  const head = Buffer.alloc(13)
  head[0] = contentTypes[type]
  head.writeUInt16BE(0xfefd, 1)
  head.writeUInt16BE(epoch, 3)
  head.writeUIntBE(sequence, 5, 6)
  head.writeUInt16BE(fragment.length, 11)
  return Buffer.concat([head, fragment])
}

/** Fatal handshake_failure and a close_notify, in the clear (RFC 5246 §7.2). */
export function plaintextAlerts(): Buffer[] {
  return [Buffer.of(2, 40), Buffer.of(1, 0)].flatMap((fragment) => [
    record({ type: 'alert', epoch: 0, sequence: 7, fragment }),
    record({ type: 'alert', epoch: 0, fragment }),
  ])
}

/** A ClientHello without cookie (RFC 6347 §4.2.1) that offers one cipher suite and use_srtp (RFC 5764 §4.1.1). */
export function clientHello(): Buffer {
  const useSrtp = Buffer.of(0, 14, 0, 5, 0, 2, 0, 1, 0)
  const body = Buffer.concat([
    Buffer.of(0xfe, 0xfd),
    randomBytes(32),
    Buffer.of(0, 0), // no session id, no cookie
    Buffer.of(0, 2, 0xc0, 0x2b, 1, 0), // ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, no compression
    Buffer.of(0, useSrtp.length),
    useSrtp,
  ])
  return handshake(1, 0, body, 0)
}

/** Handshake messages in the clear with the numbers that a client’s next ones would have: HelloRequest, ClientHello, Finished. */
export function laterHandshakes(): Buffer[] {
  const numbers = Array.from({ length: 10 }, (_, number) => number)
  return numbers.flatMap((number) => [0, 1, 20].map((type) => handshake(type, number, Buffer.alloc(12))))
}

/** One handshake message (RFC 6347 §4.2.2) in one fragment. */
function handshake(type: number, number: number, body: Buffer, sequence?: number): Buffer {
  const head = Buffer.alloc(12)
  head[0] = type
  head.writeUIntBE(body.length, 1, 3)
  head.writeUInt16BE(number, 4)
  head.writeUIntBE(body.length, 9, 3)
  const fragment = Buffer.concat([head, body])
  return record({ type: 'handshake', epoch: 0, ...(sequence !== undefined && { sequence }), fragment })
}

/** A record of epoch 1, long enough for nonce and tag (RFC 5288 §3), made without the key. */
export function forgedRecord(): Buffer {
  return record({ type: 'applicationData', epoch: 1, fragment: randomBytes(64) })
}

/** Fifteen bytes: a record of epoch 1 that is too short to hold even its nonce. */
export function runtRecord(): Buffer {
  return record({ type: 'applicationData', epoch: 1, fragment: Buffer.of(0, 0) })
}
