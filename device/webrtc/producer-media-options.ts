import type { LayerName } from '../camera/camera-source.ts'
import type { LineCodec } from './engine.ts'
import type { StreamReport } from './send-stream.ts'

/** Defaults and bounds; rates in bit/s, sizes in bytes, times in ms. */
export const mediaDefaults = {
  /** What the group of pictures at the start, and every picture, leaves at. */
  startRate: 20_000_000,
  burstBytes: 16_000,
  /** More than this waiting means that the link cannot bear the stream: wait for the next keyframe. */
  maxQueuedBytes: 8 * 1024 * 1024,
  /** On a slow link so many ms of it, but a keyframe in any case. */
  maxQueuedMs: 3_000,
  minQueuedBytes: 256 * 1024,
  /** ≥ 1 s at the start rate. */
  keptVideoPackets: 4096,
  keptAudioPackets: 256,
  reportMs: 1_000,
  /** A peer that reported and then is silent for so long is gone; ICE would notice after 30 s. */
  silenceMs: 6_000,
} as const

export interface ProducerMediaOptions {
  video: { codec: LineCodec; ssrc: number }
  /** The camera's small stream, where it has one that fits. */
  sub: { codec: LineCodec; ssrc: number } | undefined
  audio: { codec: LineCodec; ssrc: number; clockRate: number } | undefined
  /** False where the line is not open. */
  send: (mid: string, packet: Uint8Array) => boolean
  on: {
    /** Number of the main layer's first picture sent. Once. */
    firstFrame(frame: number): void
    keyframeWanted(layer: LayerName): void
    /** The peer reports no more. Once. */
    silent(): void
    /** Pictures `from` … `to` (inclusive) of the main layer are not sent live: footage brings them. */
    dropped(from: number, to: number): void
  }
  /** Capture clock, ms since the Unix epoch. */
  now: () => number
  random: () => number
  startRate?: number
}

/** Numbers of a session for logs and metrics. */
export interface ProducerStats {
  frames: number
  dropped: number
  packets: number
  repeated: number
  queuedBytes: number
  rate: number
  video: StreamReport | undefined
  audio: StreamReport | undefined
  /** Transport-wide feedback: packets reported as arrived and as lost. */
  arrived: number
  lost: number
  /** The main layer is left out, because the uplink does not bear it. */
  mainLeftOut: boolean
}
