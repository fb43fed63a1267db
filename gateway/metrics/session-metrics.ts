import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import type { SessionReport } from './session-report.ts'

/** Cameras with figures of their own; those of further ones are counted under `other`. */
const mostCameras = 256

const bitBuckets = [50_000, 150_000, 400_000, 800_000, 1_500_000, 3_000_000, 6_000_000, 12_000_000, 25_000_000]
const secondBuckets = [0.005, 0.02, 0.05, 0.1, 0.2, 0.35, 0.7, 1.5, 4, 10]

/** Prometheus figures of the WebRTC sessions: counts by camera, and how measured values spread over the sessions. */
export class SessionMetrics {
  readonly #registry: Registry
  readonly #cameras = new Set<string>()
  readonly #sessions
  readonly #bitrate
  /** Counters, and what of a report each of them adds up. */
  readonly #counted: readonly (readonly [Counter<'camera' | 'role'>, (report: SessionReport) => number])[]
  readonly #firstPicture
  readonly #bitrates
  readonly #losses
  readonly #rtts
  readonly #jitters
  readonly #estimates

  constructor(registry: Registry) {
    this.#registry = registry
    const camera = ['camera', 'role'] as const
    this.#sessions = this.#gauge('porchlight_sessions', 'WebRTC sessions', [...camera, 'layer'])
    this.#bitrate = this.#gauge('porchlight_sessions_bitrate', 'RTP of all sessions of a camera, bit/s', camera)
    this.#counted = [
      [
        this.#counter('packets', 'RTP packets: sent to viewers, come from producers'),
        (one) => (one.role === 'viewer' ? one.packetsSent : one.packetsReceived),
      ],
      [this.#counter('packets_resent', 'RTP packets sent again'), (one) => one.packetsResent],
      [this.#counter('packets_lost', 'RTP packets lost'), (one) => one.lost ?? 0],
      [this.#counter('nacks', 'NACK messages'), (one) => one.nacks],
      [this.#counter('keyframe_requests', 'PLI and FIR messages'), (one) => one.plis + one.firs],
    ]
    this.#firstPicture = this.#histogram(
      'porchlight_first_picture_seconds',
      'From the request for a session to the first packet of its picture, by stage',
      secondBuckets,
      ['role', 'stage'],
    )
    this.#bitrates = this.#histogram('porchlight_session_bitrate', 'RTP of a session, bit/s', bitBuckets)
    const ratios = [0, 0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5]
    this.#losses = this.#histogram('porchlight_session_loss_ratio', 'Share of packets lost', ratios)
    this.#rtts = this.#histogram('porchlight_session_rtt_seconds', 'Round trip', secondBuckets)
    this.#jitters = this.#histogram('porchlight_session_jitter_seconds', 'Jitter of arrival', secondBuckets)
    this.#estimates = this.#histogram(
      'porchlight_session_estimate',
      'What a link is believed to bear, bit/s',
      bitBuckets,
    )
  }

  /** Sets what is true of all sessions together. */
  present(reports: readonly SessionReport[]): void {
    this.#sessions.reset()
    this.#bitrate.reset()
    for (const report of reports) {
      const { role, layer } = report
      const camera = this.#camera(report.camera)
      this.#sessions.inc({ camera, role, layer })
      this.#bitrate.inc({ camera, role }, report.bitrate ?? 0)
    }
  }

  /** Counts what has come to a session since `before`, its last report. */
  count(report: SessionReport, before: SessionReport | undefined): void {
    const labels = { camera: this.#camera(report.camera), role: report.role }
    for (const [counter, of] of this.#counted) {
      // A loss that turned out to be a late packet is taken back by the reports, and cannot be here.
      counter.inc(labels, Math.max(0, of(report) - (before ? of(before) : 0)))
    }
    if (report.stages.total !== null && (before?.stages.total ?? null) === null) this.#firstPictureCame(report)
  }

  /** Notes what a session measures by now. */
  observe(report: SessionReport): void {
    const { role, bitrate, lossRatio, rttMs, jitterMs, estimate } = report
    if (bitrate !== null) this.#bitrates.observe({ role }, bitrate)
    if (lossRatio !== null) this.#losses.observe({ role }, lossRatio)
    if (rttMs !== null) this.#rtts.observe({ role }, rttMs / 1000)
    if (jitterMs !== null) this.#jitters.observe({ role }, jitterMs / 1000)
    if (estimate !== null) this.#estimates.observe({ role }, estimate)
  }

  #firstPictureCame({ role, stages }: SessionReport): void {
    for (const [stage, ms] of Object.entries(stages)) {
      if (ms !== null) this.#firstPicture.observe({ role, stage }, ms / 1000)
    }
  }

  #camera(id: string): string {
    if (this.#cameras.size < mostCameras) this.#cameras.add(id)
    return this.#cameras.has(id) ? id : 'other'
  }

  #gauge<L extends string>(name: string, help: string, labelNames: readonly L[]): Gauge<L> {
    return new Gauge({ name, help, labelNames, registers: [this.#registry] })
  }

  #counter(what: string, help: string): Counter<'camera' | 'role'> {
    const name = `porchlight_session_${what}_total`
    return new Counter({ name, help, labelNames: ['camera', 'role'], registers: [this.#registry] })
  }

  #histogram(name: string, help: string, buckets: number[], labelNames = ['role']): Histogram {
    return new Histogram({ name, help, buckets, labelNames, registers: [this.#registry] })
  }
}
