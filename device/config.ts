import type { Frozen } from '@porchlight/proto/config.ts'
import { name } from '@porchlight/proto/ids.ts'
import { z } from 'zod'

/** An address without credentials: those stand in `user` and `password`, so that no log line can show them. */
const cameraUrl = z
  .url({ protocol: /^rtsps?$/ })
  .refine((url) => !/^rtsps?:\/\/[^/]*@/.test(url), 'write user and password in their own fields, not in the url')

/** Where the pictures come from: exactly one of `url`, `sdp`, `command`. */
export const cameraSourceConfig = z
  .strictObject({
    /** `rtsp://` or `rtsps://` address of the main stream. */
    url: cameraUrl.optional(),
    /** The same of the sub stream: small pictures for motion, and for phones on a poor link. */
    sub: cameraUrl.optional(),
    /** `auto`: TCP, and UDP where the camera refuses TCP. `udp` falls back to TCP where nothing comes for 2 s. */
    transport: z.enum(['auto', 'tcp', 'udp']).default('auto'),
    user: z.string().max(256).optional(),
    password: z.string().max(256).optional(),
    /** `rtsps`: path of a PEM file with the camera's own certificate (self-signed, mostly) or its authority. */
    certificate: z.string().min(1).optional(),
    /** Path of an SDP file that describes RTP arriving on UDP. */
    sdp: z.string().min(1).optional(),
    /** A program (and its arguments) that writes Annex B H.264 to its standard output. */
    command: z.array(z.string()).min(1).max(64).optional(),
    subCommand: z.array(z.string()).min(1).max(64).optional(),
    /** When the ONVIF backchannel is set up: with the stream, or only while somebody talks (some doorbells say "line busy" else). */
    backchannel: z.enum(['always', 'on-talk', 'off']).default('always'),
  })
  .refine((source) => [source.url, source.sdp, source.command].filter((way) => way !== undefined).length === 1, {
    error: 'give exactly one of url, sdp, command',
  })

export const cameraConfig = z.strictObject({
  name,
  /** What people call it; the name where absent. */
  title: z.string().min(1).max(64).optional(),
  kind: z.enum(['doorbell', 'camera']).default('doorbell'),
  source: cameraSourceConfig,
  /** The ring of encoded groups of pictures that an event reaches back into. */
  preroll: z
    .strictObject({
      /** Seconds kept at least, bytes permitting. */
      seconds: z.number().min(2).max(120).default(10),
      /** Bytes kept at most; the oldest group goes first. */
      maxBytes: z
        .number()
        .int()
        .min(1_000_000)
        .max(256 * 1024 * 1024)
        .default(32 * 1024 * 1024),
    })
    .prefault({}),
  motion: z
    .strictObject({
      enabled: z.boolean().default(true),
      /** Seconds of stillness that end an event. */
      holdSeconds: z.number().min(0.5).max(300).default(10),
      /** 0 (sees little) to 1 (sees everything). */
      sensitivity: z.number().min(0).max(1).default(0.5),
    })
    .prefault({}),
  speaker: z
    .strictObject({
      /** `auto`: the camera's backchannel where it has one, else none. */
      type: z.enum(['none', 'alsa', 'wav', 'backchannel', 'auto']).default('auto'),
      /** ALSA device, for `alsa`. */
      device: z.string().min(1).max(256).default('default'),
      /** File to write, for `wav`. */
      path: z.string().min(1).optional(),
    })
    .prefault({})
    .refine((speaker) => speaker.type !== 'wav' || speaker.path !== undefined, {
      error: 'a wav speaker needs a path',
      path: ['path'],
    }),
  /** A push button on a GPIO line. */
  button: z
    .strictObject({
      /** Chip as `gpiodetect` names it. */
      chip: z
        .string()
        .regex(/^[A-Za-z0-9/_.-]{1,64}$/)
        .default('gpiochip0'),
      /** Offset of the line. */
      line: z.number().int().min(0).max(1023),
      /** A button between line and ground (with pull-up) is active low. */
      activeLow: z.boolean().default(true),
      /** Further edges within this time are the same press, ms. */
      debounceMs: z.number().int().min(0).max(5_000).default(50),
    })
    .optional(),
})

/** STUN or TURN server: `stun:host:port`, `turn:user:password@host:port`. */
const iceServer = z
  .string()
  .regex(/^(stun|stuns|turn|turns):/, 'begins with stun: or turn:')
  .max(512)

/** All settings of the agent with their defaults and units: file → environment (`PORCHLIGHT_DEVICE_…`) → flags. */
export const deviceConfigSchema = z.strictObject({
  /** Key, enrolment, epoch and local token live here. */
  dataDir: z.string().min(1).default('./.porchlight/device'),
  cameras: z
    .array(cameraConfig)
    .max(16)
    .default([])
    .refine((cameras) => new Set(cameras.map((camera) => camera.name)).size === cameras.length, {
      error: 'two cameras have the same name',
    }),
  /** Local HTTP: `POST /ring` (bearer token), `/health`, `/metrics`. */
  http: z
    .strictObject({
      host: z.string().min(1).max(255).default('127.0.0.1'),
      /** 0: any free port. */
      port: z.number().int().min(0).max(65_535).default(4881),
    })
    .prefault({}),
  link: z
    .strictObject({
      /** MQTT keepalive, s: how soon both sides notice a dead connection (×1.5). */
      keepaliveSeconds: z.number().int().min(5).max(600).default(15),
      /** Events kept while the broker is away; the oldest is dropped and counted. */
      outboxEvents: z.number().int().min(1).max(10_000).default(256),
      /** An event that waited longer is dropped, h. */
      outboxHours: z.number().min(0.01).max(720).default(24),
      /** Longest wait between two attempts, s (exponential back-off with full jitter). */
      backoffMaxSeconds: z.number().min(1).max(600).default(30),
    })
    .prefault({}),
  media: z
    .strictObject({
      iceServers: z.array(iceServer).max(8).default([]),
      /** WebRTC library; auto: node-datachannel, or werift where its native binary does not load. */
      engine: z.enum(['auto', 'node-datachannel', 'werift']).default('auto'),
    })
    .prefault({}),
  ring: z
    .strictObject({
      /** Life of a ring event, s; another press within it belongs to it. */
      holdSeconds: z.number().min(1).max(120).default(10),
    })
    .prefault({}),
  footage: z
    .strictObject({
      /** Uploads stay below this, kbit/s, so that the live picture goes first. */
      maxKbps: z.number().int().min(64).max(1_000_000).default(4_000),
      /** Frames waiting for upload in memory, bytes; beyond it, and after 20 s, they wait on the disk. */
      queueBytes: z
        .number()
        .int()
        .min(1_000_000)
        .max(1024 * 1024 * 1024)
        .default(64 * 1024 * 1024),
      /** Frames waiting for upload in the data directory, bytes; the oldest upload is dropped, counted and told. 0: none. */
      spoolBytes: z
        .number()
        .int()
        .min(0)
        .max(1024 ** 4)
        .default(2 * 1024 ** 3),
      /** An upload that found no gateway for so long is dropped, h. */
      maxHours: z.number().min(0.01).max(8_760).default(72),
      /** Pictures are wanted so long after an event's end, s, where no live session carries them. */
      postrollSeconds: z.number().min(0).max(120).default(5),
    })
    .prefault({}),
  log: z
    .strictObject({
      level: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
      /** Lines for people in place of JSON. */
      pretty: z.boolean().default(false),
    })
    .prefault({}),
})

export type DeviceConfig = Frozen<z.infer<typeof deviceConfigSchema>>
export type CameraConfig = DeviceConfig['cameras'][number]
export type CameraSourceConfig = CameraConfig['source']
export type SpeakerConfig = CameraConfig['speaker']
export type EngineName = DeviceConfig['media']['engine']
export type MotionConfig = CameraConfig['motion']
export type ButtonConfig = NonNullable<CameraConfig['button']>

/** Prefix of the agent's environment variables. */
export const envPrefix = 'PORCHLIGHT_DEVICE_'

/** What people call a camera. */
export function titleOf(camera: CameraConfig): string {
  return camera.title ?? camera.name
}
