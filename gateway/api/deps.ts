import type { EventNotice } from '@porchlight/proto/messages/notice.ts'
import type { Kysely } from 'kysely'
import type { Logger } from 'pino'
import type { Devices } from '../auth/devices.ts'
import type { PublishTokens } from '../auth/publish-tokens.ts'
import type { SignIn } from '../auth/sign-in.ts'
import type { Subject } from '../auth/subject.ts'
import type { CameraModes } from '../cameras/camera-modes.ts'
import type { CameraRegistry } from '../cameras/registry.ts'
import type { GatewayConfig } from '../config/schema.ts'
import type { EventSign } from '../events/event-service.ts'
import type { LiveStreams } from '../live-stream/live-streams.ts'
import type { Metrics } from '../metrics/metrics.ts'
import type { SessionReport } from '../metrics/session-report.ts'
import type { NoticeBroker } from '../notices/notice-broker.ts'
import type { Clips } from '../playback/clips.ts'
import type { Playback } from '../playback/playback.ts'
import type { Sprites } from '../playback/sprites.ts'
import type { PushSubscriptions } from '../push/subscriptions.ts'
import type { Recorder } from '../recorder/recorder.ts'
import type { Schema } from '../store/schema.ts'
import type { RelayFor } from '../webrtc/turn.ts'

/**
 * What routes may use. Ports of the media side are the small part of their owners that HTTP needs; a route file's author
 * extends the port that belongs to the route.
 */
export interface GatewayDeps {
  readonly config: GatewayConfig
  readonly db: Kysely<Schema>
  readonly log: Logger
  /** ms since the Unix epoch. */
  readonly now: () => number
  readonly signIn: SignIn
  readonly devices: Devices
  readonly publishTokens: Pick<PublishTokens, 'check'>
  readonly cameras: CameraRegistry
  readonly modes: Pick<CameraModes, 'now' | 'at' | 'choose'>
  readonly events: EventsPort
  readonly push: PushSubscriptions
  /** Web Push key of this gateway, base64url. */
  readonly vapidPublicKey: string
  readonly notices: Pick<NoticeBroker, 'attach'>
  /** Whether the gateway is connected to the devices' broker. */
  readonly brokerUp: () => boolean
  readonly metrics: Metrics
  /** signaling/viewers.ts */
  readonly viewers: ViewersPort
  /** Who publishes a camera by WHIP: signaling/publishers.ts */
  readonly publishers: PublishersPort
  readonly liveStreams: Pick<LiveStreams, 'join'>
  /** The talk floor of each camera. */
  readonly floor: FloorPort
  readonly sessions: SessionsPort
  /** TURN credentials for somebody; undefined where no TURN server is configured. */
  readonly relayFor: RelayFor | undefined
  readonly recorder: Recorder
  readonly playback: Playback
  readonly clips: Clips
  readonly sprites: Sprites
  readonly recordingsDirectory: string
}

export interface EventsPort {
  /** Newest first, begun before `before` (ms since the Unix epoch). `next` is the `before` of the next page. */
  list(query: { cameras?: readonly string[]; before?: number; limit: number }): Promise<{
    events: EventNotice[]
    next: number | null
  }>
  /** @throws PorchlightError `event_not_found` */
  get(id: string): Promise<EventNotice>
  /** @throws PorchlightError `event_not_found`, `index_failed` */
  protect(id: string, isProtected: boolean): Promise<EventNotice>
  /** Undefined where there is no such event. */
  cameraOf(id: string): Promise<string | undefined>
  /** A sign of an event at a camera. Never throws. */
  tell(camera: string, sign: EventSign): void
}

export interface PublishersPort {
  /** Answers a WHIP offer. @throws PorchlightError `camera_not_found`, `offer_unsupported`, `session_limit` … */
  publish(camera: string, offerSdp: string, subject: Subject): Promise<{ id: string; answer: string }>
  /**
   * Takes a publisher's candidates (RFC 8840). @throws PorchlightError `session_not_found`, `forbidden`, `sdp_invalid`,
   *   `ice_restart_unsupported`
   */
  trickle(id: string, fragment: string, subject: Subject): void
  /** Idempotent. @throws PorchlightError `forbidden` where it is somebody else's session */
  leave(id: string, subject: Subject): Promise<void>
}

export interface ViewersPort {
  /** Answers a WHEP offer. @throws PorchlightError `camera_offline`, `codec_unsupported`, `session_limit` … */
  join(camera: string, offerSdp: string, subject: Subject): Promise<{ id: string; answer: string }>
  /**
   * Takes a viewer's candidates (RFC 8840). @throws PorchlightError `session_not_found`, `forbidden`, `sdp_invalid`,
   *   `ice_restart_unsupported`
   */
  trickle(id: string, fragment: string, subject: Subject): void
  /** Idempotent. @throws PorchlightError `forbidden` where it is somebody else's session */
  leave(id: string, subject: Subject): Promise<void>
}

export interface SessionsPort {
  /** Every WebRTC session, the oldest first. */
  reports(): SessionReport[]
}

export interface FloorPort {
  /** Takes or renews the floor. @throws PorchlightError `floor_taken`, `session_not_found`, `speaker_none` */
  take(camera: string, session: string, subject: Subject): { until: number; leaseMs: number }
  /** Idempotent. */
  release(camera: string, session: string, subject: Subject): void
}
