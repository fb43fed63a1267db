import { readFragment, type Sample, writeFragment } from '@porchlight/proto/media/fmp4/fragment.ts'
import { videoTimescale, videoTrack } from '@porchlight/proto/media/fmp4/init-segment.ts'
import { readClusters, writeClusters } from '@porchlight/proto/media/webm/cluster.ts'
import { isWebm } from '@porchlight/proto/media/webm/header.ts'

/** A coded picture, and how many places later than it is decoded it is shown. */
export type CodedPicture = Pick<Sample, 'keyframe' | 'reference' | 'data'> & { shownLater: number }

/** Coded pictures, a second each, as they follow `init`: what ffmpeg is given. */
export function pictureStream(init: Uint8Array, pictures: readonly CodedPicture[]): Uint8Array {
  if (isWebm(init)) {
    return writeClusters(
      pictures.map((picture, index) => ({
        ...picture,
        track: videoTrack,
        timeMs: (index + picture.shownLater) * 1_000,
      })),
    )
  }
  const samples = pictures.map(({ shownLater, ...picture }) => ({
    ...picture,
    duration: videoTimescale,
    offset: shownLater * videoTimescale,
  }))
  return writeFragment(1, [{ track: videoTrack, baseTime: 0, samples }])
}

/** The data of the first picture of a part; undefined where the part is damaged. */
export function firstPicture(init: Uint8Array, part: Uint8Array): Uint8Array | undefined {
  const ofVideo = <T extends { track: number }>(tracks: readonly T[] | undefined) =>
    tracks?.find(({ track }) => track === videoTrack)
  if (isWebm(init)) {
    const block = ofVideo(readClusters(part)?.flatMap(({ blocks }) => blocks))
    return block && part.subarray(block.at, block.end)
  }
  const sample = ofVideo(readFragment(part)?.tracks)?.samples[0]
  return sample && part.subarray(sample.at, sample.at + sample.size)
}
