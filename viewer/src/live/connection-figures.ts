/** What the browser has counted of a connection at one moment; counts run since its beginning. */
export interface ConnectionCounts {
  /** ms, on the reports' own clock. */
  atMs: number
  /** Picture and sound. */
  bytes: number
  /** Of the picture, like all that follows. */
  packets: number
  lost: number
  framesDecoded: number
  framesDropped: number
  /** How long pictures waited in the jitter buffer in all, s, and how many came out of it. */
  waitedS: number
  waited: number
  width: number
  height: number
  /** As in `video/H264`, without the kind. */
  codec: string | undefined
  /** Round trip of the path, s. */
  rttS: number | undefined
}

type Report = Record<string, unknown> & { type: string; timestamp: number }

/** Reads the reports of `RTCPeerConnection.getStats`; undefined while none of a picture is there. */
export function countsOf(all: Iterable<Report>): ConnectionCounts | undefined {
  const reports = [...all]
  const inbound = reports.filter(({ type }) => type === 'inbound-rtp')
  const video = inbound.find(({ kind }) => kind === 'video')
  if (!video) return undefined
  const codec = reports.find(({ type, id }) => type === 'codec' && id === video.codecId)?.mimeType
  // Firefox marks the pair in use, the others name it in the transport's report.
  const inUse = reports.find(({ type }) => type === 'transport')?.selectedCandidatePairId
  const pair = reports.find(
    ({ type, id, selected }) => type === 'candidate-pair' && (id === inUse || selected === true),
  )
  return {
    atMs: video.timestamp,
    bytes: inbound.reduce((sum, { bytesReceived }) => sum + (number(bytesReceived) ?? 0), 0),
    packets: number(video.packetsReceived) ?? 0,
    lost: number(video.packetsLost) ?? 0,
    framesDecoded: number(video.framesDecoded) ?? 0,
    framesDropped: number(video.framesDropped) ?? 0,
    waitedS: number(video.jitterBufferDelay) ?? 0,
    waited: number(video.jitterBufferEmittedCount) ?? 0,
    width: number(video.frameWidth) ?? 0,
    height: number(video.frameHeight) ?? 0,
    codec: typeof codec === 'string' ? codec.slice(codec.indexOf('/') + 1) : undefined,
    rttS: number(pair?.currentRoundTripTime),
  }
}

function number(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined
}

const unknown = '–'

/** What a person reads: each figure with its name, of the time between two counts. `–`: not known. */
export function figuresOf(
  before: ConnectionCounts | undefined,
  counts: ConnectionCounts,
): [name: string, text: string][] {
  const seconds = before && counts.atMs > before.atMs ? (counts.atMs - before.atMs) / 1_000 : undefined
  const since = (of: (one: ConnectionCounts) => number) => (before ? Math.max(0, of(counts) - of(before)) : 0)
  const packets = since((one) => one.packets)
  const lost = since((one) => one.lost)
  const waited = since((one) => one.waited)
  return [
    ['Resolution', counts.width > 0 ? `${counts.width} × ${counts.height}` : unknown],
    ['Codec', counts.codec ?? unknown],
    ['Frames', seconds ? `${Math.round(since((one) => one.framesDecoded) / seconds)} a second` : unknown],
    ['Bitrate', seconds ? bitrate((since((one) => one.bytes) * 8) / seconds) : unknown],
    ['Loss', packets + lost > 0 ? `${percent((100 * lost) / (packets + lost))} %` : unknown],
    ['Round trip', counts.rttS === undefined ? unknown : milliseconds(counts.rttS)],
    ['Jitter buffer', waited > 0 ? milliseconds(since((one) => one.waitedS) / waited) : unknown],
    ['Dropped frames', `${counts.framesDropped}`],
  ]
}

function bitrate(bits: number): string {
  return bits >= 1_000_000 ? `${(bits / 1_000_000).toFixed(1)} Mbit/s` : `${Math.round(bits / 1_000)} kbit/s`
}

function percent(value: number): string {
  return value > 0 && value < 10 ? value.toFixed(1) : `${Math.round(value)}`
}

function milliseconds(seconds: number): string {
  return `${Math.round(seconds * 1_000)} ms`
}
