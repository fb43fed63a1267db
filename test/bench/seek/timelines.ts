import type { TimeSpan } from '../../../viewer/src/api/calls.ts'
import type { GatewayHouse } from '../../support/house.ts'

const rounds = 10

/** How long a camera's day takes to be read whole, and how large it is: of the slowest and the largest camera. */
export async function readTimelines(
  gateway: GatewayHouse,
  cameras: readonly string[],
  { fromMs, toMs }: TimeSpan,
): Promise<{ ms: number; firstMs: number; kb: number }> {
  const medians: number[] = []
  let firstMs = 0
  let bytes = 0
  await gateway.cameras() // signs in
  for (const camera of cameras) {
    const times: number[] = []
    for (let round = 0; round < rounds; round += 1) {
      const began = performance.now()
      const response = await gateway.fetch(`/api/cameras/${camera}/timeline?from=${fromMs}&to=${toMs}`)
      const body = await response.arrayBuffer()
      times.push(performance.now() - began)
      if (!response.ok) throw new Error(`timeline of ${camera}: ${response.status}`)
      bytes = Math.max(bytes, body.byteLength)
    }
    firstMs = Math.max(firstMs, times[0]!)
    medians.push(times.toSorted((a, b) => a - b)[rounds >> 1]!)
  }
  return { ms: Math.round(Math.max(...medians)), firstMs: Math.round(firstMs), kb: Math.round(bytes / 102.4) / 10 }
}
