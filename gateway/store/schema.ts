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
    still_path: string | null
  }
  /** One file of fragmented MP4 on disk. */
  files: {
    id: Generated<number>
    camera: string
    path: string
    created_at: number
    /** Bytes of the init segment at the file's beginning. */
    init_bytes: number
    /** SHA-256 of codec configuration: parts with the same value play through one init segment. */
    config: string
    closed: number
  }
  /** One group of pictures (with its sound): one moof + mdat. */
  parts: {
    id: Generated<number>
    file_id: number
    camera: string
    /** Numbering of the frames: the device's boot id. */
    run: string
    first_frame: number
    last_frame: number
    /** Frame numbers missing inside, as JSON list of [from, to]. */
    missing_json: string
    start_ms: number
    end_ms: number
    offset: number
    bytes: number
    /** Higher speaks for the same moment. */
    generation: number
  }
}
