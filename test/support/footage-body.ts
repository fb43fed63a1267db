import { encodeFootageAudio, encodeFootageHeader, encodeFootageUnit } from '@porchlight/proto/footage.ts'
import type { AccessUnit, AudioFormat, AudioFrame } from '@porchlight/proto/media/access-unit.ts'

/** A delivery of footage, in pieces of an odd size. */
export function footageBody(
  run: string,
  units: readonly AccessUnit[],
  audio?: { format: AudioFormat; frames: readonly AudioFrame[] },
): () => AsyncGenerator<Uint8Array> {
  const { codec } = units[0]!
  const bytes = Buffer.concat([
    encodeFootageHeader({ run, video: { codec, width: 320, height: 240 }, audio: audio?.format }),
    ...units.map(encodeFootageUnit),
    ...(audio?.frames ?? []).map(encodeFootageAudio),
  ])
  return async function* () {
    for (let at = 0; at < bytes.length; at += 7_919) yield new Uint8Array(bytes.subarray(at, at + 7_919))
  }
}
