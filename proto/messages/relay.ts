import { z } from 'zod'

/** Longest life of TURN credentials, seconds. */
export const maxRelaySeconds = 600

/** Address of a TURN server (RFC 7065): `turn:host:port?transport=udp`, `turns:host`. */
export const turnUrl = z
  .string()
  .max(300)
  .regex(
    /^turns?:(?:[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?(?:\?transport=(?:udp|tcp))?$/,
    'turn:host:port, turns:host:port, with ?transport=udp or ?transport=tcp',
  )

/** A TURN server of the house, and credentials for it that are good for a while. */
export const relay = z.object({
  urls: z.array(turnUrl).min(1).max(4),
  username: z.string().min(1).max(128),
  credential: z.string().min(1).max(128),
  /** Life of the credentials from the message on. */
  seconds: z.number().int().positive().max(maxRelaySeconds),
})

export type Relay = z.infer<typeof relay>
