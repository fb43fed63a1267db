import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { openControl } from './control.ts'
import { encodeAgain } from './encode.ts'
import { Hearing } from './hearing.ts'
import { defaultKnobs, type Knobs, turnKnobs } from './knobs.ts'
import { MediaClock, type SentUnit, ToneLoop, VideoLoop } from './media-loop.ts'
import { type Mp4Video, readMp4 } from './mp4-source.ts'
import type { AuthScheme } from './rtsp/auth.ts'
import { type CameraStream, RtspServer, type ServerParts } from './rtsp-server.ts'

export interface CameraOptions {
  /** RTSP port; 0 (default) any free one. */
  port?: number
  /** Address to listen at. Default 127.0.0.1. */
  host?: string
  /** Port of the HTTP control on 127.0.0.1; 0 any free one; undefined (default) none. */
  controlPort?: number
  /** Digest authentication when given. */
  user?: string
  password?: string
  schemes?: readonly AuthScheme[]
  qop?: boolean
  nonceUses?: number
  /** Transports that are granted. Default any. */
  transport?: ServerParts['allowed']
  /** Default pcmu. */
  backchannel?: ServerParts['backchannel']
  /** Default 30 s. */
  timeoutSeconds?: number
  /** Any MP4 with H.264 or H.265 in place of the scene; its sub stream is `subFile`, else the same file. */
  file?: string
  subFile?: string
  /** The scene's sub stream (320×180, 10 a second) as main: a software decoder on a busy machine keeps up with it. */
  small?: boolean
  /** Encodes the scene again: pictures from keyframe to keyframe, bit/s and codec (main stream; needs ffmpeg). */
  gop?: number
  bitrate?: number
  codec?: 'h265'
  /** A microphone's tone goes along. Default true. */
  audio?: boolean
  knobs?: Partial<Knobs>
  /** For losses; default Math.random. */
  random?: () => number
}

export interface SimulatedCamera extends AsyncDisposable {
  /** `rtsp://host:port/main` and `/sub`, without user and password. */
  url: string
  subUrl: string
  /** Of the HTTP control, where asked for. */
  controlUrl: string | undefined
  /** Pictures per second, seconds and pictures of one loop of the main stream. */
  fps: number
  seconds: number
  frameCount: number
  /** Numbers that the bar code of the scene counts through in one loop. */
  barcodes: number
  /** What was sent after `sinceMs` (ms since the Unix epoch), oldest first, one entry per picture. */
  frames(sinceMs?: number, stream?: 'main' | 'sub'): SentUnit[]
  /** When the main stream's picture with this bar code was sent last, ms since the Unix epoch. */
  framesSentAt(barcode: number): number | undefined
  /** What came through the backchannel: 8000 samples a second. */
  heard(): Int16Array
  hearing: Hearing
  readonly clients: { connected: number; playing: number }
  turn(knobs: Partial<Knobs>): void
  /** Breaks all connections. */
  drop(): void
  close(): Promise<void>
}

const scene = (name: string) => fileURLToPath(new URL(`scene/${name}`, import.meta.url))

/** Pictures per second that the scene's bar code counts, in both of its streams. */
const sceneFps = 25

async function load(options: CameraOptions): Promise<{ main: Mp4Video; sub: Mp4Video }> {
  const { gop, bitrate, codec, file } = options
  const again = gop !== undefined || bitrate !== undefined || codec !== undefined
  const source = file ?? scene(options.small ? 'sub.mp4' : 'main.mp4')
  const mainPath = again
    ? await encodeAgain(source, {
        ...(gop === undefined ? {} : { gop }),
        ...(bitrate === undefined ? {} : { bitrate }),
        ...(codec === undefined ? {} : { codec }),
      })
    : source
  const subPath = options.subFile ?? file ?? scene('sub.mp4')
  const main = readMp4(await readFile(mainPath))
  return { main, sub: subPath === mainPath ? main : readMp4(await readFile(subPath)) }
}

/** Starts a simulated RTSP camera in this process. Its media time begins with the first PLAY, at a keyframe. */
export async function startCamera(options: CameraOptions = {}): Promise<SimulatedCamera> {
  const { main, sub } = await load(options)
  const host = options.host ?? '127.0.0.1'
  const knobs: Knobs = { ...defaultKnobs }
  const clock = new MediaClock()
  const hearing = new Hearing()
  const fps = main.samples.length / main.seconds
  const counted = options.file === undefined ? sceneFps : undefined
  const tone = options.audio === false ? undefined : new ToneLoop(clock, options.knobs?.toneHz ?? knobs.toneHz)
  const streams: Record<'main' | 'sub', CameraStream> = {
    main: { video: new VideoLoop(clock, main, counted), audio: tone },
    sub: { video: new VideoLoop(clock, sub, counted), audio: tone },
  }
  const turn = (change: Partial<Knobs>) => {
    turnKnobs(knobs, change)
    if (change.toneHz !== undefined && tone !== undefined) tone.frequency = change.toneHz
  }
  turn(options.knobs ?? {})
  const { user, password } = options
  const server = await RtspServer.listen(
    {
      host,
      clock,
      hearing,
      knobs,
      auth:
        user === undefined || password === undefined
          ? undefined
          : {
              user,
              password,
              ...(options.schemes === undefined ? {} : { schemes: options.schemes }),
              ...(options.qop === undefined ? {} : { qop: options.qop }),
              ...(options.nonceUses === undefined ? {} : { nonceUses: options.nonceUses }),
            },
      allowed: options.transport ?? 'any',
      backchannel: options.backchannel ?? 'pcmu',
      timeoutSeconds: options.timeoutSeconds ?? 30,
      random: options.random ?? Math.random,
      stream(url) {
        const path = /^rtsps?:\/\/[^/]+\/(main|sub)(?:[/?]|$)/i.exec(url)?.[1]
        return path === 'main' || path === 'sub' ? streams[path] : undefined
      },
    },
    options.port ?? 0,
  )
  const authority = `${host.includes(':') ? `[${host}]` : host}:${server.port}`
  let control: Awaited<ReturnType<typeof openControl>> | undefined
  const camera: SimulatedCamera = {
    url: `rtsp://${authority}/main`,
    subUrl: `rtsp://${authority}/sub`,
    controlUrl: undefined,
    fps,
    seconds: main.seconds,
    frameCount: main.samples.length,
    barcodes: Math.round(main.seconds * (counted ?? fps)),
    frames(sinceMs = 0, stream = 'main') {
      const { sent } = streams[stream].video
      const first = sent.findIndex((frame) => frame.sentMs > sinceMs)
      return first < 0 ? [] : sent.slice(first)
    },
    framesSentAt: (barcode) => streams.main.video.sent.findLast((frame) => frame.index === barcode)?.sentMs,
    heard: () => hearing.samples(),
    hearing,
    get clients() {
      return server.clients
    },
    turn,
    drop: () => server.drop(),
    async close() {
      streams.main.video.close()
      streams.sub.video.close()
      tone?.close()
      await Promise.all([server.close(), control?.close()])
    },
    [Symbol.asyncDispose]: () => camera.close(),
  }
  if (options.controlPort !== undefined) {
    control = await openControl(camera, options.controlPort)
    camera.controlUrl = control.url
  }
  return camera
}
