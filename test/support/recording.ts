import { writeFile } from 'node:fs/promises'
import { type Decoded, decode } from './decode.ts'
import type { GatewayHouse } from './house.ts'
import { until } from './until.ts'

/** How far an event's recording is, as the API says. */
export interface RecordingSaid {
  state: 'none' | 'growing' | 'complete'
  fromMs: number | null
  toMs: number | null
  bytes: number
  gaps: [number, number][]
}

/** Waits until the recording of an event `fits` and gives what the API says of it. */
export function recordingThat(
  gateway: GatewayHouse,
  eventId: string,
  fits: (recording: RecordingSaid) => boolean,
  deadlineMs?: number,
): Promise<RecordingSaid> {
  let last: RecordingSaid | undefined
  return until(
    () => `a recording of ${eventId} as wanted; it is ${JSON.stringify(last)}`,
    async () => {
      const { recording } = await gateway.json<{ recording: RecordingSaid }>(`/api/events/${eventId}`)
      last = recording
      return recording.fromMs !== null && recording.toMs !== null && fits(recording) && recording
    },
    deadlineMs,
  )
}

/** Downloads what there is of an event's recording and decodes it; any complaint of the decoder is an error. */
export async function decodedRecording(gateway: GatewayHouse, eventId: string, path: string): Promise<Decoded> {
  const response = await gateway.fetch(`/api/events/${eventId}/recording.mp4`)
  if (!response.ok) throw new Error(`recording: ${response.status} ${await response.text()}`)
  await writeFile(path, Buffer.from(await response.arrayBuffer()))
  const decoded = await decode(path)
  if (decoded.errors.length > 0) throw new Error(`the recording of ${eventId}: ${decoded.errors.join('\n')}`)
  return decoded
}
