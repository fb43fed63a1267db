import * as h264 from '@porchlight/proto/media/h264.ts'
import * as h265 from '@porchlight/proto/media/h265.ts'
import { NalDepacketizer } from '@porchlight/proto/media/nal-depacketizer.ts'
import type { RtpPacket } from '@porchlight/proto/media/rtp.ts'
import { ParameterSets, type SequenceFacts } from './parameter-sets.ts'

/** A whole picture before it has a number and a time. */
export interface Picture {
  /** RTP timestamp. */
  timestamp: number
  keyframe: boolean
  reference: boolean
  /** Holds a B-slice of a stream that may reorder. */
  bidirectional: boolean
  data: Uint8Array[]
}

export interface AssemblerHandlers {
  picture(picture: Picture): void
  /** The sequence parameter set has changed. */
  facts(facts: SequenceFacts): void
}

/** NAL units in one access unit at most; bytes at most. More is given up as broken. */
const maxNals = 1_000
const maxUnitBytes = 16 * 1024 * 1024

/**
 * Makes access units out of a camera's H.264 or H.265. Marker bits help but are not believed: some cameras set none,
 * some set one on the parameter sets or on each slice. Nothing comes out before the first keyframe that can be decoded.
 */
export class AccessUnitAssembler {
  readonly #h264: boolean
  readonly #handlers: AssemblerHandlers
  readonly #depacketizer: NalDepacketizer
  readonly #sets: ParameterSets
  #nals: Uint8Array[] = []
  #bytes = 0
  #timestamp = 0
  #hasSlice = false
  #torn = false
  /** Marker bits came in the middle of pictures: a picture then ends where the next begins. */
  #markersLie = false
  #lastDone: number | undefined
  #facts: SequenceFacts | undefined
  #started = false
  /** Pictures thrown away because packets of them were lost. */
  torn = 0

  constructor(codec: 'h264' | 'h265', handlers: AssemblerHandlers, sprop: readonly Uint8Array[] = []) {
    this.#h264 = codec === 'h264'
    this.#handlers = handlers
    this.#depacketizer = new NalDepacketizer(codec)
    this.#sets = new ParameterSets(codec, sprop)
  }

  /**
   * Takes the next RTP packet.
   * @param lostBefore packets missing ahead of this one
   */
  push(packet: RtpPacket, lostBefore = 0): void {
    const changed = packet.timestamp !== this.#timestamp
    if (lostBefore > 0) {
      if (this.#hasSlice || this.#depacketizer.pending || !changed) this.#torn = true
      this.#depacketizer.reset()
    }
    if (changed) {
      if (this.#hasSlice) this.#finish()
      else if (this.#torn) this.#discard()
      this.#depacketizer.reset()
    }
    // parameter sets may have a timestamp of their own: they belong to the picture that follows
    if (!this.#hasSlice) this.#timestamp = packet.timestamp
    const suspicious = lostBefore > 0
    const nals: Uint8Array[] = []
    this.#depacketizer.push(packet.payload, nals)
    for (const nal of nals) this.#add(nal, suspicious)
    if (packet.marker && this.#hasSlice && !this.#markersLie && !this.#depacketizer.pending) this.#finish()
  }

  /** Takes a NAL unit of a byte stream: pictures are split by their first slice and by what precedes it (H.264 §7.4.1.2.3). */
  pushNal(nal: Uint8Array, timestamp: number): void {
    if (this.#hasSlice && this.#beginsPicture(nal)) this.#finish()
    if (!this.#hasSlice) this.#timestamp = timestamp
    this.#add(nal, false)
  }

  /** Ends the picture under way: nothing more of it will come. */
  flush(): void {
    if (this.#hasSlice) this.#finish()
  }

  #beginsPicture(nal: Uint8Array): boolean {
    if (this.#h264) {
      const type = h264.nalType(nal)
      return h264.isSlice(nal) ? h264.isFirstSlice(nal) : (type >= 6 && type <= 9) || (type >= 14 && type <= 18)
    }
    const type = h265.nalType(nal)
    return h265.isSlice(nal) ? h265.isFirstSlice(nal) : (type >= 32 && type <= 35) || type === 39
  }

  #add(nal: Uint8Array, suspicious: boolean): void {
    if (this.#isNoise(nal)) return
    if (this.#sets.isParameterSet(nal)) this.#keep(nal)
    const slice = this.#h264 ? h264.isSlice(nal) : h265.isSlice(nal)
    if (slice) {
      const first = this.#h264 ? h264.isFirstSlice(nal) : h265.isFirstSlice(nal)
      if (!this.#hasSlice && !first) {
        // the rest of a picture that a marker has cut, or one whose beginning was lost
        if (this.#lastDone === this.#timestamp && !suspicious) this.#markersLie = true
        this.#torn = true
      }
      this.#hasSlice = true
    }
    this.#nals.push(nal)
    this.#bytes += nal.length
    if (this.#nals.length > maxNals || this.#bytes > maxUnitBytes) this.#torn = true
    if (this.#torn && this.#nals.length > maxNals) this.#nals = []
  }

  #isNoise(nal: Uint8Array): boolean {
    if (!this.#h264) return [35, 36, 37, 38].includes(h265.nalType(nal))
    const type = h264.nalType(nal)
    return type >= 9 && type <= 12 // delimiter, ends, filler
  }

  #keep(nal: Uint8Array): void {
    this.#sets.keep(nal)
    this.#sayFacts()
  }

  #sayFacts(): void {
    const facts = this.#sets.facts
    if (facts === undefined || facts === this.#facts) return
    const changed = this.#facts?.width !== facts.width || this.#facts.height !== facts.height
    this.#facts = facts
    if (changed) this.#handlers.facts(facts)
  }

  #finish(): void {
    const { torn, nals, timestamp } = { torn: this.#torn, nals: this.#nals, timestamp: this.#timestamp }
    this.#lastDone = timestamp
    this.#nals = []
    this.#bytes = 0
    this.#hasSlice = false
    this.#torn = false
    if (torn) {
      this.torn += 1
      return
    }
    const picture = this.#h264 ? this.#h264Picture(nals) : this.#h265Picture(nals)
    if (!picture.keyframe) {
      if (this.#started) this.#handlers.picture({ ...picture, timestamp, data: nals })
      return
    }
    const sets = this.#sets.complete
    if (sets === undefined) return // nobody could decode it
    this.#started = true
    this.#sayFacts()
    const data = [...sets, ...nals.filter((nal) => !this.#sets.isParameterSet(nal))]
    this.#handlers.picture({ ...picture, timestamp, data })
  }

  /** Gives up a picture of which no slice was whole; parameter sets are kept anyway. */
  #discard(): void {
    this.#nals = []
    this.#bytes = 0
    this.#torn = false
    this.torn += 1
  }

  #h264Picture(nals: readonly Uint8Array[]): Pick<Picture, 'keyframe' | 'reference' | 'bidirectional'> {
    let keyframe = false
    let reference = false
    let bidirectional = false
    let intra = true
    let sets = 0
    for (const nal of nals) {
      const type = h264.nalType(nal)
      if (type === 7) sets += 1
      if (!h264.isSlice(nal)) continue
      if (type === 5) keyframe = true
      if (h264.isReference(nal)) reference = true
      const slice = h264.sliceType(nal)
      if (slice === 'B') bidirectional = true
      if (slice !== 'I' && slice !== 'SI') intra = false
    }
    // some cameras never send an IDR: an all-intra picture with its own SPS is where they mean decoding to start
    if (!keyframe && sets > 0 && intra && reference) keyframe = true
    return { keyframe, reference, bidirectional: bidirectional && this.#facts?.reorderFrames !== 0 }
  }

  #h265Picture(nals: readonly Uint8Array[]): Pick<Picture, 'keyframe' | 'reference' | 'bidirectional'> {
    const slices = nals.filter((nal) => h265.isSlice(nal))
    const keyframe = slices.some((nal) => h265.isIrap(nal))
    const reference = slices.some((nal) => h265.isReference(nal))
    // low-delay streams use B-slices that look only back; only a stream that reorders has B-pictures in our sense
    return { keyframe, reference, bidirectional: !keyframe && (this.#facts?.reorderFrames ?? 0) > 0 }
  }
}
