import type { Generated } from 'kysely'

/** Tables of the index (SQLite; times are ms since the Unix epoch). Changed only together with a numbered migration. */
export interface Schema {
  devices: { name: string; public_key: string; enrolled_at: number; revoked_at: number | null }
  /** Newest presence and camera list of each device, as last accepted, so that a restarted gateway knows the house. */
  cameras: { id: string; device: string; state_json: string; last_picture_at: number | null; updated_at: number }
  users: { id: string; name: string; role: 'owner'; created_at: number }
  /** Only SHA-256 hashes of secrets are kept. */
  sign_in_links: { hash: string; user_id: string; expires_at: number; used_at: number | null }
  sessions: { hash: string; user_id: string; created_at: number; expires_at: number; user_agent: string }
  access_tokens: { hash: string; name: string; cameras_json: string; created_at: number; expires_at: number }
  /** Cameras that publish by WHIP (`whip.{name}`), and the hash of the one token of each. */
  publish_tokens: { camera: string; title: string; hash: string; created_at: number }
  push_subscriptions: { endpoint: string; user_id: string; keys_json: string; created_at: number }
  settings: { key: string; value: string }
  events: {
    id: string
    camera: string
    kind: 'ring' | 'motion'
    begin_at: number
    /** null while it goes on */
    end_at: number | null
    /** Recording wanted from … to (begin − pre-roll, end + post-roll). */
    record_from: number
    record_to: number | null
    /** Relative to the recordings directory. */
    still_path: string | null
    /** 1: its footage is never deleted by itself. */
    protected: Generated<number>
  }
  /** One file of fragmented MP4 on disk. */
  files: {
    id: Generated<number>
    camera: string
    /** Relative to the recordings directory, with `/`. */
    path: string
    created_at: number
    /** Capture time that is 0 in the file's own timeline. */
    base_ms: number
    /** Bytes of the init segment at the file's beginning. */
    init_bytes: number
    /** SHA-256 (hex) of the init segment: parts with the same value play through one init segment. */
    config: string
    /** 1 once nothing is added any more. */
    closed: number
    /** 1: it has no parts any more and is about to be deleted. */
    removing: Generated<number>
    /** Sum over the parts of a closed file; null where nobody has summed them up yet. */
    bytes: Generated<number | null>
    /** Capture times of its first picture and of the end of its last; as `bytes`. */
    start_ms: Generated<number | null>
    end_ms: Generated<number | null>
  }
  /**
   * Pictures with unbroken frame numbers and the sound of their time: one moof + mdat, at most a group of pictures. A hole
   * in the numbers always ends a part; what fills it later is a part of its own.
   */
  parts: {
    id: Generated<number>
    file_id: number
    camera: string
    /** Numbering of the frames: the device's boot id; with `.sub` that of the small layer. */
    run: string
    first_frame: number
    last_frame: number
    /** 1 where it begins with a keyframe: playing can start here. */
    keyframe: number
    /** Capture time of its first picture shown, and the end of its last. */
    start_ms: number
    end_ms: number
    /** Capture times that its sound covers, as JSON list of [from, to]. */
    audio_json: string
    offset: number
    bytes: number
    /** Higher speaks for the same frames. */
    generation: number
  }
  /** Frames that were to be recorded and will never come; none of them twice, and none that is in a part. */
  gaps: {
    id: Generated<number>
    camera: string
    run: string
    /** Both inclusive. */
    from_frame: number
    to_frame: number
    /** What the device said, `unanswered`, or the code of the error with which they were not written. */
    reason: string
    /** When that became known, on the gateway's clock. */
    at: number
  }
}
