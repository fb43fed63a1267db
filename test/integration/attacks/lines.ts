import { writeRtp } from '@porchlight/proto/media/rtp.ts'

/** The lines of every session here: a picture from the engine, sound to it. */
export const lines = {
  video: { mid: 'v', payloadType: 96, ssrc: 1000 },
  audio: { mid: 't', payloadType: 111, ssrc: 555_000 },
} as const

/** A packet of a line. @param sequence uint16 */
export function rtpPacket({ payloadType, ssrc }: { payloadType: number; ssrc: number }, sequence: number): Uint8Array {
  const payload = new Uint8Array(200).fill(sequence)
  return writeRtp({ marker: false, payloadType, sequence, timestamp: sequence * 960, ssrc, extensions: [], payload })
}
