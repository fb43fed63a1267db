import type { ErrorCode } from '@porchlight/proto/errors.ts'
import type { Identity } from '@porchlight/proto/identity/keys.ts'
import type { AccessUnit, AudioFormat, AudioFrame, VideoFormat } from '@porchlight/proto/media/access-unit.ts'
import type { Envelope } from '@porchlight/proto/messages/envelope.ts'
import type { SignalUp } from '@porchlight/proto/messages/signal.ts'
import type { Logger } from 'pino'
import type { LayerName, TalkSink } from '../camera/camera-source.ts'
import type { Engine } from './engine.ts'
import type { LiveAudio } from './live-audio.ts'

/** Deadlines of the states, ms. */
export const sessionDeadlines = {
  /** Offer made → answer. */
  answer: 10_000,
  /** Answer → proven and connected. */
  connect: 15_000,
  /** Connection lost → back. */
  disconnected: 8_000,
} as const

type WithoutEnvelope<T> = T extends unknown ? Omit<T, keyof Envelope> : never
/** A signal before the link puts it into its envelope. */
export type SignalBody = WithoutEnvelope<SignalUp>

/**
 * `new` → `offered` (an offer is out) → `connecting` (the answer is proven; confirm is on its way, ICE and DTLS run) →
 * `live` → `ended`. Every state leads to `ended`, and each but `live` has a deadline.
 */
export type ProducerState = 'new' | 'offered' | 'connecting' | 'live' | 'ended'
/** Why a session ended: an error code, or that one of the two sides closed it. */
export type EndReason = ErrorCode | 'closed' | 'peer_closed'

/** What the session reads of the pre-roll (device/preroll/ring.ts). */
export interface GopSource {
  currentGop(): { units: readonly AccessUnit[]; audio: readonly AudioFrame[] }
}

export interface ProducerSessionOptions {
  engine: Engine
  device: string
  camera: string
  bootId: string
  identity: Identity
  /** Pinned at enrolment, base64url. */
  gatewayKey: string
  ring: GopSource
  formats: { video: VideoFormat; audio?: AudioFormat | undefined }
  /** The camera's small stream, of the same codec. */
  sub?: { format: VideoFormat; ring: GopSource } | undefined
  /** Makes Opus of AAC; absent: AAC is not heard live. */
  liveAudio?: ((format: AudioFormat, onFrame: (frame: AudioFrame) => void) => LiveAudio) | undefined
  talk: TalkSink | undefined
  iceServers: readonly string[]
  bindAddress?: string
  /** Capture clock, ms since the Unix epoch. */
  now: () => number
  /** [0, 1) */
  random?: () => number
  log: Logger
  /** Publishes a signal, resolves at PUBACK. May reject. */
  send: (body: SignalBody) => Promise<void>
  /** Somebody needs a keyframe: ask the camera. */
  onPli?: (layer: LayerName) => void
  /** Pictures `from` … `to` (inclusive) are not sent live (B-pictures, an overfull link): deliver them as footage. */
  onDropped?: (from: number, to: number) => void
  /** bit/s */
  startRate?: number
  deadlines?: Partial<Record<keyof typeof sessionDeadlines, number>>
}
