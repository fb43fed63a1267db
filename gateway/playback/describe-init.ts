import { boxAt } from '@porchlight/proto/media/fmp4/boxes.ts'
import { audioTrack, readInit, videoTrack } from '@porchlight/proto/media/fmp4/init-segment.ts'
import { isWebm, readWebmHeader } from '@porchlight/proto/media/webm/header.ts'

/** What a recording's beginning says of its tracks: equal texts go on in each other's place. */
export interface InitDescription {
  picture: string | undefined
  /** undefined: there is none */
  sound: string | undefined
}

export function describeInit(init: Uint8Array): InitDescription {
  if (isWebm(init)) {
    const audio = readWebmHeader(init)?.audio
    return { picture: 'vp8', sound: audio && JSON.stringify(audio) }
  }
  const descriptions = readInit(init)?.descriptions
  const sound = descriptions?.get(audioTrack)
  return { picture: sampleEntry(descriptions?.get(videoTrack)), sound: sound && Buffer.from(sound).toString('base64') }
}

/** Kind of the first entry of a sample description (`stsd`). */
function sampleEntry(description: Uint8Array | undefined): string | undefined {
  return description && boxAt(description, 16)?.type
}
