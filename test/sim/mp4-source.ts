import { parseSps } from '@porchlight/proto/media/h264.ts'

/** One coded picture of a file. Times in seconds from the file's start. */
export interface Mp4Sample {
  /** NAL units without start codes, parameter sets first before a keyframe. */
  nals: Uint8Array[]
  decodeSeconds: number
  /** Presentation time: with B-frames other than the decode time. */
  presentSeconds: number
  keyframe: boolean
}

/** The video of an MP4 file. */
export interface Mp4Video {
  codec: 'h264' | 'h265'
  width: number
  height: number
  /** SPS and PPS (H.265: VPS, SPS, PPS). */
  parameterSets: Uint8Array[]
  samples: Mp4Sample[]
  /** Sum of the samples' durations, seconds. */
  seconds: number
}

interface Box {
  type: string
  /** The box's content. */
  data: DataView
}

function boxes(view: DataView): Box[] {
  const found: Box[] = []
  let at = 0
  while (at + 8 <= view.byteLength) {
    let size = view.getUint32(at)
    let header = 8
    if (size === 1 && at + 16 <= view.byteLength) {
      size = Number(view.getBigUint64(at + 8))
      header = 16
    } else if (size === 0) size = view.byteLength - at
    if (size < header || at + size > view.byteLength) break
    const type = String.fromCharCode(...[4, 5, 6, 7].map((offset) => view.getUint8(at + offset)))
    found.push({ type, data: new DataView(view.buffer, view.byteOffset + at + header, size - header) })
    at += size
  }
  return found
}

function child(view: DataView, ...path: string[]): DataView {
  let current = view
  for (const type of path) {
    const next = boxes(current).find((box) => box.type === type)
    if (next === undefined) throw new Error(`This MP4 has no box ${path.join('/')} (fragmented files are not read)`)
    current = next.data
  }
  return current
}

function bytesOf(view: DataView, at: number, length: number): Uint8Array {
  if (at + length > view.byteLength) throw new Error('The MP4 is cut short')
  return new Uint8Array(view.buffer, view.byteOffset + at, length)
}

/** A table of ISO/IEC 14496-12 with `count` rows after its full box header. */
function rows<Row>(view: DataView, rowBytes: number, read: (at: number) => Row): Row[] {
  const count = view.getUint32(4)
  return Array.from({ length: count }, (_, index) => read(8 + index * rowBytes))
}

/** stts and ctts: runs of equal values, one value per sample. */
function unrun(view: DataView, signed: boolean): number[] {
  const runs = rows(view, 8, (at) => [view.getUint32(at), signed ? view.getInt32(at + 4) : view.getUint32(at + 4)])
  return runs.flatMap(([count, value]) => new Array<number>(count!).fill(value!))
}

/** Where each sample begins and how long it is: stsz, stsc, stco or co64. */
function placeSamples(stbl: DataView): { at: number; size: number }[] {
  const stsz = child(stbl, 'stsz')
  const fixed = stsz.getUint32(4)
  const count = stsz.getUint32(8)
  const size = (index: number) => (fixed === 0 ? stsz.getUint32(12 + index * 4) : fixed)
  const wide = boxes(stbl).find((box) => box.type === 'co64')?.data
  const stco = wide ?? child(stbl, 'stco')
  const chunks = rows(stco, wide ? 8 : 4, (at) => (wide ? Number(stco.getBigUint64(at)) : stco.getUint32(at)))
  const stsc = child(stbl, 'stsc')
  const perChunk = rows(stsc, 12, (at) => ({ first: stsc.getUint32(at), samples: stsc.getUint32(at + 4) }))
  const places: { at: number; size: number }[] = []
  for (const [chunk, start] of chunks.entries()) {
    const samples = perChunk.findLast((entry) => entry.first <= chunk + 1)?.samples ?? 0
    let at = start
    for (let index = 0; index < samples && places.length < count; index += 1) {
      places.push({ at, size: size(places.length) })
      at += places.at(-1)!.size
    }
  }
  return places
}

/** avcC (ISO/IEC 14496-15 §5.3.3.1) and hvcC (§8.3.3.1): parameter sets and the size of the length fields. */
function readConfiguration(
  entry: DataView,
  type: string,
): Pick<Mp4Video, 'codec' | 'parameterSets'> & { lengthBytes: number } {
  const inner = new DataView(entry.buffer, entry.byteOffset + 78, entry.byteLength - 78)
  const sets: Uint8Array[] = []
  const take = (view: DataView, from: number, count: number): number => {
    let at = from
    for (let index = 0; index < count; index += 1) {
      const length = view.getUint16(at)
      sets.push(bytesOf(view, at + 2, length))
      at += 2 + length
    }
    return at
  }
  if (type === 'avc1' || type === 'avc3') {
    const avcc = child(inner, 'avcC')
    const at = take(avcc, 6, avcc.getUint8(5) & 0x1f)
    take(avcc, at + 1, avcc.getUint8(at))
    return { codec: 'h264', parameterSets: sets, lengthBytes: (avcc.getUint8(4) & 3) + 1 }
  }
  if (type === 'hvc1' || type === 'hev1') {
    const hvcc = child(inner, 'hvcC')
    let at = 23
    for (let array = 0; array < hvcc.getUint8(22); array += 1) {
      const isSet = [32, 33, 34].includes(hvcc.getUint8(at) & 0x3f) // SEI may stand there too
      const kept = sets.length
      at = take(hvcc, at + 3, hvcc.getUint16(at + 1))
      if (!isSet) sets.length = kept
    }
    return { codec: 'h265', parameterSets: sets, lengthBytes: (hvcc.getUint8(21) & 3) + 1 }
  }
  throw new Error(`The video is ${type}: only H.264 and H.265 are served`)
}

function splitLengths(sample: Uint8Array, lengthBytes: number): Uint8Array[] {
  const nals: Uint8Array[] = []
  let at = 0
  while (at + lengthBytes < sample.length) {
    let length = 0
    for (let index = 0; index < lengthBytes; index += 1) length = length * 256 + sample[at + index]!
    at += lengthBytes
    nals.push(sample.subarray(at, at + length))
    at += length
  }
  return nals
}

/** Reads the first video track of an MP4 with a sample table (ISO/IEC 14496-12 §8.6–8.7); throws an Error saying why not. */
export function readMp4(bytes: Uint8Array): Mp4Video {
  const file = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const trak = boxes(child(file, 'moov')).find(
    ({ type, data }) => type === 'trak' && child(data, 'mdia', 'hdlr').getUint32(8) === 0x76696465, // 'vide'
  )
  if (trak === undefined) throw new Error('This MP4 has no video')
  const mdhd = child(trak.data, 'mdia', 'mdhd')
  const timescale = mdhd.getUint32(mdhd.getUint8(0) === 1 ? 20 : 12)
  const stbl = child(trak.data, 'mdia', 'minf', 'stbl')
  const stsd = child(stbl, 'stsd')
  const entry = boxes(new DataView(stsd.buffer, stsd.byteOffset + 8, stsd.byteLength - 8))[0]
  if (entry === undefined) throw new Error('This MP4 does not say what its video is')
  const { codec, parameterSets, lengthBytes } = readConfiguration(entry.data, entry.type)

  const durations = unrun(child(stbl, 'stts'), false)
  const composition = boxes(stbl).find((box) => box.type === 'ctts')?.data
  const offsets = composition === undefined ? [] : unrun(composition, true)
  const stss = boxes(stbl).find((box) => box.type === 'stss')?.data
  const keyframes = stss === undefined ? undefined : new Set(rows(stss, 4, (at) => stss.getUint32(at)))
  const isSet = (nal: Uint8Array) =>
    codec === 'h264' ? [7, 8].includes(nal[0]! & 0x1f) : [32, 33, 34].includes((nal[0]! >> 1) & 0x3f)

  let ticks = 0
  const samples = placeSamples(stbl).map(({ at, size }, index): Mp4Sample => {
    const keyframe = keyframes?.has(index + 1) ?? true
    const nals = splitLengths(bytesOf(file, at, size), lengthBytes).filter((nal) => nal.length > 0 && !isSet(nal))
    const decodeSeconds = ticks / timescale
    const presentSeconds = (ticks + (offsets[index] ?? 0)) / timescale
    ticks += durations[index] ?? 0
    return { nals: keyframe ? [...parameterSets, ...nals] : nals, decodeSeconds, presentSeconds, keyframe }
  })
  const sps = codec === 'h264' ? parseSps(parameterSets[0] ?? new Uint8Array()) : undefined
  return {
    codec,
    width: sps?.width ?? entry.data.getUint16(24),
    height: sps?.height ?? entry.data.getUint16(26),
    parameterSets,
    samples,
    seconds: ticks / timescale,
  }
}
