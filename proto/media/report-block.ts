/** A reception report block (RFC 3550 §6.4.1). */
export interface ReportBlock {
  /** The source that is reported on. */
  ssrc: number
  /** Share of packets lost since the last report, 0…255 for 0…1. */
  fractionLost: number
  /** Packets lost in all; may be negative where duplicates came. */
  packetsLost: number
  /** Highest sequence number received: 16 bits of cycles, 16 bits of number. */
  highestSequence: number
  /** Interarrival jitter in RTP clock ticks. */
  jitter: number
  /** Middle 32 bits of the NTP time of the last sender report; 0: none came. */
  lastSr: number
  /** Delay since that report in 1/65536 s. */
  delaySinceLastSr: number
}

/** Reads up to `count` blocks from an offset; what is cut short is left out. */
export function parseReports(view: DataView, from: number, count: number): ReportBlock[] {
  const reports: ReportBlock[] = []
  for (let i = 0, at = from; i < count && at + 24 <= view.byteLength; i++, at += 24) {
    reports.push({
      ssrc: view.getUint32(at),
      fractionLost: view.getUint8(at + 4),
      packetsLost: (view.getInt8(at + 5) << 16) | view.getUint16(at + 6),
      highestSequence: view.getUint32(at + 8),
      jitter: view.getUint32(at + 12),
      lastSr: view.getUint32(at + 16),
      delaySinceLastSr: view.getUint32(at + 20),
    })
  }
  return reports
}

export function writeReports(view: DataView, from: number, reports: readonly ReportBlock[]): void {
  reports.forEach((report, i) => {
    const at = from + i * 24
    view.setUint32(at, report.ssrc)
    view.setUint32(at + 4, ((report.fractionLost & 0xff) << 24) | (report.packetsLost & 0xffffff))
    view.setUint32(at + 8, report.highestSequence)
    view.setUint32(at + 12, report.jitter)
    view.setUint32(at + 16, report.lastSr)
    view.setUint32(at + 20, report.delaySinceLastSr)
  })
}
