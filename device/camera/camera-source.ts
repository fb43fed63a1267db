import type { PorchlightError } from '@porchlight/proto/errors.ts'
import type { AccessUnit, AudioFormat, AudioFrame, VideoFormat } from '@porchlight/proto/media/access-unit.ts'

/** A camera's main stream, and the small one beside it. */
export type LayerName = 'main' | 'sub'

/** What a source tells its owner. A listener must not throw. */
export interface CameraListener {
  /** Before the first frame, and again whenever it changes (SPS, audio line). */
  format(video: VideoFormat | undefined, audio: AudioFormat | undefined): void
  /** `frame` numbers are given by the source, going on from `firstFrame`/`firstAudioFrame` of its options. */
  accessUnit(unit: AccessUnit): void
  audioFrame(frame: AudioFrame): void
  /** Something is limited although the stream lives: an error code of the registry (`camera_bframes` …). Once each. */
  note(code: string): void
}

/** Where talk goes: packets of `codec` from the viewer, as they come. */
export interface TalkSink {
  readonly codec: 'opus' | 'pcmu' | 'pcma'
  readonly clockRate: number
  /** One packet's worth of coded sound; `timestamp` is its RTP timestamp. Never throws; what cannot be played is dropped and counted. */
  send(data: Uint8Array, timestamp: number): void
}

/** One connection to one camera. It ends once; who wants another opens another (`camera.ts` does, with back-off). */
export interface CameraSource extends AsyncDisposable {
  /** Resolves when the stream is playing. @throws PorchlightError `camera_*` */
  open(signal: AbortSignal): Promise<void>
  /** Resolves with the reason when the stream has ended, after `open` succeeded; never rejects. */
  readonly ended: Promise<PorchlightError | undefined>
  /** Asks for a keyframe where the camera can be asked; false where it cannot. */
  requestKeyframe(): boolean
  /** The backchannel, where the camera has one. Known after `open`. */
  readonly talk: TalkSink | undefined
  /** Idempotent. */
  close(): Promise<void>
}
