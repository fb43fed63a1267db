import type { AudioCodec, VideoCodec } from '../messages/cameras.ts'

/**
 * One coded picture. There is one timeline for everything: capture time on the device's clock, taken from the camera's
 * RTP timestamps (so it has the precision of 90 kHz and no network jitter).
 */
export interface AccessUnit {
  codec: VideoCodec
  /** Number of the picture, per camera and boot, in decoding order, without holes as the device saw them; uint32. */
  frame: number
  /** Capture (presentation) time, ms since the Unix epoch, with fractions. */
  captureMs: number
  /** IDR / IRAP picture (or the codec's like): decoding can start here. Parameter sets are then in `data`. */
  keyframe: boolean
  /** False where no other picture refers to this one (a B-picture with nal_ref_idc 0): viewers can do without it. */
  reference: boolean
  /** H.264/H.265: NAL units without start codes, parameter sets first before a keyframe. Others: one frame. */
  data: Uint8Array[]
}

/** One packet of coded sound. */
export interface AudioFrame {
  codec: AudioCodec
  /** Number of the packet, per camera and boot; uint32. */
  frame: number
  /** Capture time of the first sample, ms since the Unix epoch, with fractions. */
  captureMs: number
  /** Samples per second of the RTP clock (PCMU/PCMA 8000, Opus 48000, AAC its sampling rate). */
  clockRate: number
  channels: number
  /** Length in samples at `clockRate`. */
  samples: number
  /** One Opus packet, one raw AAC access unit without ADTS, or G.711 bytes. */
  data: Uint8Array
  /** AAC: the AudioSpecificConfig. */
  config?: Uint8Array
}

export interface VideoFormat {
  codec: VideoCodec
  width: number
  height: number
}

export interface AudioFormat {
  codec: AudioCodec
  clockRate: number
  channels: number
  /** AAC: the AudioSpecificConfig. */
  config?: Uint8Array
}
