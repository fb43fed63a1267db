import { hostname } from 'node:os'
import type { Frozen } from '@porchlight/proto/config.ts'
import { cameraId } from '@porchlight/proto/ids.ts'
import { recordingMode } from '@porchlight/proto/messages/recording-mode.ts'
import { maxRelaySeconds, turnUrl } from '@porchlight/proto/messages/relay.ts'
import { z } from 'zod'
import { weekdays } from './recording-mode.ts'

const port = z.number().int().min(0).max(65_535)
const seconds = z.number().min(0).max(3_600)
const clockTime = z.string().regex(/^(?:[01]\d|2[0-3]):[0-5]\d$/, 'hh:mm')

/** Another mode at certain hours; see `recording-mode.ts`. */
const schedule = z
  .array(
    z.strictObject({
      days: z
        .array(z.enum(weekdays))
        .min(1)
        .max(7)
        .default([...weekdays]),
      from: clockTime,
      to: clockTime,
      mode: recordingMode,
    }),
  )
  .max(32)

const days = z.number().min(0.1).max(36_500)
const gigabytes = z.number().positive().max(1_000_000)

/** How long and how much of one camera is kept. A gigabyte is 10⁹ bytes. */
const cameraRetention = {
  /** Days that footage is kept: that of rings, of motion, and all other. The longest that fits counts. */
  ringDays: days.optional(),
  motionDays: days.optional(),
  continuousDays: days.optional(),
  /** At most so much of each, per camera, protected footage aside. Default: no limit. */
  ringGigabytes: gigabytes.optional(),
  motionGigabytes: gigabytes.optional(),
  continuousGigabytes: gigabytes.optional(),
  /** At most so much of each camera in all, protected footage included. Default: no limit. */
  cameraGigabytes: gigabytes.optional(),
}

/**
 * Every setting of the gateway with its default and unit. Groups are strict: a key that is not here is refused.
 * Ports: 0 takes any free one (the ready line says which).
 */
export const gatewayConfigSchema = z.strictObject({
  /** Keys, the index and, unless said otherwise, recordings. */
  dataDir: z.string().min(1).default('./.porchlight/gateway'),
  logLevel: z.enum(['silent', 'error', 'warn', 'info', 'debug', 'trace']).default('info'),
  http: z
    .strictObject({
      host: z.string().min(1).default('127.0.0.1'),
      port: port.default(4880),
      /** How people and devices reach the gateway from outside, e.g. `https://door.example`; default: from host and port. */
      publicUrl: z.url({ protocol: /^https?$/ }).optional(),
      /** Addresses of reverse proxies whose `X-Forwarded-*` is believed. Default: none is. */
      trustProxy: z.array(z.string().min(1)).max(16).default([]),
      /** Further origins (`https://…`) whose pages may use the API with a cookie. The own origin always may. */
      origins: z
        .array(z.url({ protocol: /^https?$/ }))
        .max(16)
        .default([]),
      /** Folder of the built viewer; default: `viewer/dist` beside the gateway. */
      viewer: z.string().min(1).optional(),
    })
    .prefault({}),
  /** PEM files; serves HTTPS and, for the embedded broker, MQTTS. */
  tls: z.strictObject({ cert: z.string().min(1), key: z.string().min(1) }).optional(),
  media: z
    .strictObject({
      /** The one UDP port of all WebRTC legs. */
      port: port.default(4880),
      /** Address the media port binds to; default: that of `http.host` where it is an address, else all. */
      bindAddress: z.string().min(1).optional(),
      /** Addresses to announce besides (a public one behind NAT). */
      announce: z.array(z.string().min(1)).max(8).default([]),
      /** Viewers at once over WebRTC, in all and of one camera. */
      maxViewers: z.number().int().min(1).max(10_000).default(256),
      maxViewersPerCamera: z.number().int().min(1).max(10_000).default(32),
      /** A device keeps sending so many seconds after the last viewer and the recorder have left. */
      lingerSeconds: z.number().min(0).max(600).default(30),
    })
    .prefault({}),
  /** A TURN server with a shared secret (coturn's `use-auth-secret`), for viewers and devices that have no UDP path. */
  turn: z
    .strictObject({
      /** `turn:host:port?transport=udp`, `turn:…?transport=tcp`, `turns:host:port?transport=tcp`. None: no relay. */
      urls: z.array(turnUrl).max(4).default([]),
      /** The secret (`static-auth-secret`), or the file that holds it. */
      secret: z.string().min(1).optional(),
      secretFile: z.string().min(1).optional(),
      /** UDP port, beside `media.port`, that relays reach the gateway by for browsers that come to them by TCP. */
      doorPort: port.default(4881),
      /** Life of the credentials that are given away, seconds. */
      ttlSeconds: z.number().int().min(60).max(maxRelaySeconds).default(maxRelaySeconds),
    })
    .prefault({})
    .refine(
      ({ urls, secret, secretFile }) => urls.length === 0 || (secret === undefined) !== (secretFile === undefined),
      {
        message: 'give urls with exactly one of secret, secretFile',
      },
    ),
  broker: z
    .strictObject({
      /** `embedded`, or `url`: any MQTT 3.1.1 broker. */
      mode: z.enum(['embedded', 'url']).default('embedded'),
      /** Embedded: address to listen on. Anything but loopback needs `tls`. */
      host: z.string().min(1).default('127.0.0.1'),
      /** Embedded: TCP port. */
      port: port.default(4883),
      /** Mode `url`: `mqtt://` or `mqtts://` with host and port. */
      url: z.url({ protocol: /^mqtts?$/ }).optional(),
      /** Mode `url`: the gateway's account there. */
      user: z.string().optional(),
      password: z.string().optional(),
      /** Mode `url`: PEM file of the authority that signed the broker's certificate, where it is not a public one. */
      ca: z.string().min(1).optional(),
      /** How devices reach the broker, in enrolment lines; default: from the settings above. */
      publicUrl: z.url({ protocol: /^mqtts?$/ }).optional(),
    })
    .prefault({})
    .refine((broker) => broker.mode !== 'url' || broker.url !== undefined, {
      path: ['url'],
      message: 'needed where broker.mode is url',
    }),
  recordings: z
    .strictObject({
      /** Default: `recordings` in `dataDir`. */
      directory: z.string().min(1).optional(),
      /** What is recorded (see proto/messages/recording-mode.ts): `off`, `events`, `continuous`, `continuous-sub`. */
      mode: recordingMode.default('events'),
      schedule: schedule.default([]),
      /** Of single cameras, by id (`porch.door`), in place of the above. */
      cameras: z.record(cameraId, z.strictObject({ mode: recordingMode, schedule: schedule.default([]) })).default({}),
      /** Seconds kept from before an event began. */
      preroll: seconds.default(10),
      /** Seconds kept from after an event ended. */
      postroll: seconds.default(5),
      /** What is deleted by itself, the oldest first: continuous footage, then motion, then rings. Never what is protected. */
      retention: z
        .strictObject({
          ...cameraRetention,
          ringDays: days.default(60),
          motionDays: days.default(14),
          continuousDays: days.default(3),
          /** At most so much of all cameras together, protected footage included. Default: no limit. */
          gigabytes: gigabytes.optional(),
          /** So much of the disk is kept free. Default: 5 % of the disk, but no more than 1 GB. */
          reserveGigabytes: z.number().min(0.001).max(1_000_000).optional(),
          /** Cameras of which more or less is kept than of the others, by their ids `device.camera`. */
          cameras: z.record(cameraId, z.strictObject(cameraRetention)).default({}),
        })
        .prefault({}),
    })
    .prefault({}),
  events: z
    .strictObject({
      /** A motion event whose device says nothing for so many seconds is ended. */
      quietAfter: z.number().min(5).max(600).default(30),
      /** A ring lasts so many seconds unless the device ends it before. */
      ringSeconds: z.number().min(1).max(600).default(30),
    })
    .prefault({}),
  push: z
    .strictObject({
      /** Whom a push service may write to about our messages (RFC 8292 §2.1): `mailto:` or `https:`. */
      subject: z
        .string()
        .regex(/^(?:mailto:|https:\/\/)\S+$/, 'mailto: or https:')
        .default('mailto:porchlight@localhost.invalid'),
      /** Also takes subscriptions at `http:` and private addresses: for tests with a push service of their own. */
      allowInsecure: z.boolean().default(false),
    })
    .prefault({}),
  auth: z
    .strictObject({
      /** Life of a sign-in link, minutes. */
      linkMinutes: z.number().min(1).max(1_440).default(15),
      /** Life of a session since its sign-in, days. */
      sessionDays: z.number().min(1).max(400).default(90),
    })
    .prefault({}),
  ffmpeg: z.string().min(1).optional().describe('Path of ffmpeg; default: FFMPEG_PATH, ffmpeg-static, PATH.'),
  /** Name of the house, as shown on notices. */
  house: z
    .string()
    .min(1)
    .max(64)
    .default(() => hostname().slice(0, 64) || 'home'),
})

export type GatewayConfig = Frozen<z.infer<typeof gatewayConfigSchema>>
