import * as h264 from '@porchlight/proto/media/h264.ts'
import * as h265 from '@porchlight/proto/media/h265.ts'

/** What a stream's sequence parameter set says, for either codec. */
export interface SequenceFacts {
  width: number
  height: number
  /** undefined: the stream does not say. */
  reorderFrames: number | undefined
}

/** Sets kept at most, of each kind (H.264 allows 32 SPS and 256 PPS; cameras use one or two). */
const maxSets = 16

/**
 * Keeps the parameter sets of a stream, so that each keyframe can carry them: some cameras send them once at the start,
 * some only in the SDP, some in the SDP wrongly. What comes in the stream beats what stood in the SDP.
 */
export class ParameterSets {
  readonly #codec: 'h264' | 'h265'
  /** In the order they must be sent: by NAL type (VPS, SPS, PPS), then by id. */
  #sets = new Map<string, { type: number; nal: Uint8Array; inBand: boolean }>()
  #facts: SequenceFacts | undefined

  /** @param sprop from the SDP; what is broken in there is left out */
  constructor(codec: 'h264' | 'h265', sprop: readonly Uint8Array[] = []) {
    this.#codec = codec
    for (const nal of sprop) if (this.isParameterSet(nal)) this.#keep(nal, false)
  }

  isParameterSet(nal: Uint8Array): boolean {
    if (this.#codec === 'h264') return h264.nalType(nal) === 7 || h264.nalType(nal) === 8
    return h265.nalType(nal) >= 32 && h265.nalType(nal) <= 34
  }

  /** Keeps a set that came in the stream. */
  keep(nal: Uint8Array): void {
    this.#keep(nal, true)
  }

  /** Everything a keyframe needs, in order; undefined while an SPS or a PPS is missing. */
  get complete(): Uint8Array[] | undefined {
    const kinds = new Set<number>()
    const sets = [...this.#sets.values()].sort((a, b) => a.type - b.type)
    for (const set of sets) kinds.add(set.type)
    const needed = this.#codec === 'h264' ? [7, 8] : [32, 33, 34]
    return needed.every((kind) => kinds.has(kind)) ? sets.map((set) => set.nal) : undefined
  }

  /** Of the newest SPS; undefined before one. */
  get facts(): SequenceFacts | undefined {
    return this.#facts
  }

  #keep(nal: Uint8Array, inBand: boolean): void {
    const key = this.#key(nal)
    if (key === undefined) return
    const known = this.#sets.get(key.name)
    if (known !== undefined && sameBytes(known.nal, nal)) {
      known.inBand ||= inBand
      return
    }
    if (inBand && key.facts !== undefined) {
      // a new SPS in the stream: what the SDP said about sequences is of another profile or size
      for (const [name, set] of this.#sets) if (!set.inBand && set.type === key.type) this.#sets.delete(name)
    }
    if (known === undefined && this.#sets.size >= maxSets) {
      const oldest = this.#sets.keys().next().value
      if (oldest !== undefined) this.#sets.delete(oldest)
    }
    this.#sets.set(key.name, { type: key.type, nal: new Uint8Array(nal), inBand })
    if (key.facts !== undefined) this.#facts = key.facts
  }

  #key(nal: Uint8Array): { name: string; type: number; facts?: SequenceFacts } | undefined {
    if (this.#codec === 'h264') {
      const type = h264.nalType(nal)
      if (type === 8) {
        const ids = h264.parsePpsIds(nal)
        return ids && { name: `8/${ids.id}`, type }
      }
      const facts = h264.parseSps(nal)
      return facts && { name: `7/${facts.id}`, type, facts }
    }
    const type = h265.nalType(nal)
    if (type === 33) {
      const facts = h265.parseSps(nal)
      return facts && { name: `33/${facts.id}`, type, facts }
    }
    // vps_video_parameter_set_id is the first 4 bits; a PPS id is an exp-Golomb code in the same byte, told apart well enough
    return nal.length < 3 ? undefined : { name: `${type}/${type === 32 ? nal[2]! >> 4 : h265PpsId(nal)}`, type }
  }
}

/** pps_pic_parameter_set_id: ue(v) (H.265 §7.3.2.3); 0–63 fit the first two bytes. */
function h265PpsId(nal: Uint8Array): number {
  const bits = (nal[2]! << 8) | (nal[3] ?? 0)
  const zeros = Math.clz32(bits) - 16
  return zeros > 6 ? 0 : ((bits >> (15 - 2 * zeros)) & ((2 << zeros) - 1)) - 1
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0
}
