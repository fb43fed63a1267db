/** What one second was like. */
export interface LossFacts {
  /** Packets of the picture. */
  received: number
  /** Those that did not come at first, whether they came later or not. */
  lost: number
  /** Round trip of the path, s. */
  rttS: number | undefined
}

/** What is used of `RTCPeerConnection` and `RTCRtpReceiver`. */
interface Connection {
  getStats(): Promise<{ values(): Iterable<Report> }>
}

interface PictureReceiver {
  jitterBufferTarget: number | null
}

interface Report {
  type: string
  kind?: string
  nominated?: boolean
  currentRoundTripTime?: number
  packetsReceived?: number
  packetsLost?: number
}

/**
 * How long pictures should wait for packets that are sent again, ms; null: no longer than the browser thinks right. Browsers
 * that only receive do not know the round trip: they count on none, and ask a second time after 100 ms.
 */
export function repairWait({ received, lost, rttS }: LossFacts): number | null {
  if (lost < 2 || lost / (lost + received) < 0.01) return null
  return Math.min(400, 100 + Math.round(2_000 * (rttS ?? 0.1)))
}

/**
 * Lets pictures wait for what is sent again while packets are lost, and for ten seconds after; else those that come late are
 * left out. It takes two seconds of loss: what a join or a queue drops at once is no reason to show pictures later from then on.
 * Stands on {@link repairWait} alone, so that benches can take both into a page of their own.
 * @returns the way to stop
 */
export function awaitRepairs(pc: Connection, receiver: PictureReceiver): () => void {
  let before = { received: 0, lost: 0 }
  let lossy = 0
  let calm = 0
  const look = async () => {
    let rttS: number | undefined
    let counts = before
    for (const report of (await pc.getStats()).values()) {
      if (report.type === 'candidate-pair' && report.nominated) rttS = report.currentRoundTripTime ?? rttS
      if (report.type !== 'inbound-rtp' || report.kind !== 'video') continue
      counts = { received: report.packetsReceived ?? 0, lost: report.packetsLost ?? 0 }
    }
    const wait = repairWait({ received: counts.received - before.received, lost: counts.lost - before.lost, rttS })
    before = counts
    lossy = wait === null ? 0 : lossy + 1
    calm = wait === null ? calm + 1 : 0
    if (wait !== null && lossy >= 2) receiver.jitterBufferTarget = wait
    else if (calm === 10) receiver.jitterBufferTarget = null
  }
  const timer = setInterval(() => {
    look().catch((error: unknown) => console.info('What is lost cannot be counted:', error))
  }, 1_000)
  return () => clearInterval(timer)
}
