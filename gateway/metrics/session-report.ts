import { z } from 'zod'

const count = z.int().min(0)
const ms = z.number().min(0).nullable()

/** How long each step of a session took, ms; null: not reached, or not a step of this role. */
export const sessionStages = z.object({
  camera: ms.describe('A viewer waited for the camera to be live.'),
  signaling: ms.describe('From the offer (or the live camera) to our answer.'),
  ice: ms.describe('From our answer to a path that works; 0 where it was found sooner.'),
  dtls: ms.describe('From answer and path to keys for media.'),
  firstPacket: ms.describe('From the keys to the first packet of the picture: sent to a viewer, come from a producer.'),
  total: ms.describe('From the request to the first packet of the picture.'),
})
export type SessionStages = z.infer<typeof sessionStages>

/** What is known of one WebRTC session. What was not measured is null. */
export const sessionReport = z.object({
  id: z.string(),
  camera: z.string(),
  role: z.enum(['viewer', 'producer']),
  state: z.enum(['answering', 'waiting', 'unconnected', 'unproven', 'live', 'interrupted', 'ended']),
  since: z.number().describe('When it was asked for, ms since the Unix epoch.'),
  remoteAddress: z.string().nullable().describe('`address:port` that media goes to and comes from.'),
  codecs: z.object({ video: z.string().nullable(), audio: z.string().nullable(), talk: z.string().nullable() }),
  layer: z.enum(['main', 'sub']).describe('Which of the camera’s streams.'),
  bitrate: z
    .number()
    .min(0)
    .nullable()
    .describe('RTP of the last second, bit/s: sent to a viewer, come from a producer.'),
  packetsSent: count,
  packetsReceived: count,
  packetsResent: count.describe('Of those sent: answers to NACKs.'),
  lost: z.int().nullable().describe('Packets lost in all, as the receiving side counts.'),
  lossRatio: z.number().min(0).max(1).nullable().describe('Of the picture, as last reported: 0…1.'),
  rttMs: ms.describe('Round trip: of reports with a viewer, of requests for lost packets with a producer.'),
  jitterMs: ms.describe('Of the picture’s arrival (RFC 3550 §6.4.1).'),
  nacks: count.describe('NACK messages that the receiving side sent.'),
  plis: count,
  firs: count,
  estimate: z.number().min(0).nullable().describe('What a viewer’s link is believed to bear, bit/s.'),
  stages: sessionStages,
})
export type SessionReport = z.infer<typeof sessionReport>

/** The sum of what is known; null where nothing is. */
export function sumOfKnown(values: readonly (number | undefined)[]): number | null {
  const known = values.filter((value) => value !== undefined)
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0)
}
