const everyMs = 1_000

/**
 * Calls `arrived` each time that more of a track has come over the network, shown or not.
 * @returns the way to stop
 */
export function watchArrivals(receiver: RTCRtpReceiver, arrived: () => void): () => void {
  let bytes = 0
  const look = async () => {
    for (const report of (await receiver.getStats()).values()) {
      if (report.type !== 'inbound-rtp' || report.bytesReceived <= bytes) continue
      bytes = report.bytesReceived
      arrived()
    }
  }
  const timer = setInterval(() => {
    look().catch((error: unknown) => console.info('What arrives cannot be counted:', error))
  }, everyMs)
  return () => clearInterval(timer)
}
