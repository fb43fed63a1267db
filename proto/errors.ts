/**
 * The one registry of errors that a person can meet: a code, a sentence that says what to do, the HTTP status that
 * carries it (RFC 9457), and whether trying the same again may help. Keep it sorted by area; codes are never reused.
 */
const entries = {
  // configuration and start
  config_invalid: { status: 500, retryable: false, sentence: 'The configuration is not valid.' },
  config_unreadable: { status: 500, retryable: false, sentence: 'The configuration file cannot be read.' },
  port_in_use: { status: 500, retryable: true, sentence: 'The port is in use by another program.' },
  program_failed: { status: 500, retryable: true, sentence: 'A part of Porchlight has ended unexpectedly.' },
  lan_address_missing: {
    status: 500,
    retryable: true,
    sentence: 'This machine has no address in a local network: connect it first.',
  },
  authority_unreadable: {
    status: 500,
    retryable: false,
    sentence: 'The certificate authority of this house cannot be read.',
  },
  identity_unreadable: { status: 500, retryable: false, sentence: 'The key file of this program cannot be read.' },
  not_enrolled: {
    status: 500,
    retryable: false,
    sentence: 'This device is not enrolled yet: run `device key`, then `gateway enroll`, then `device enroll`.',
  },
  enrolment_invalid: { status: 400, retryable: false, sentence: 'The enrolment line is not valid.' },
  // camera
  camera_unreachable: { status: 502, retryable: true, sentence: 'The camera cannot be reached at its address.' },
  camera_auth: { status: 502, retryable: false, sentence: 'The camera refuses the user name or the password.' },
  camera_not_found: { status: 404, retryable: false, sentence: 'There is no such camera.' },
  camera_no_video: { status: 502, retryable: false, sentence: 'The camera offers no video stream at this address.' },
  camera_codec: { status: 502, retryable: false, sentence: 'The camera sends a codec that Porchlight does not know.' },
  camera_protocol: { status: 502, retryable: true, sentence: 'The camera gave an answer that does not fit RTSP.' },
  camera_timeout: { status: 504, retryable: true, sentence: 'The camera has stopped sending.' },
  camera_bframes: {
    status: 200,
    retryable: false,
    sentence:
      'The camera sends B-frames: live viewers get fewer pictures. Switch B-frames off in the camera (profile Baseline).',
  },
  // 409 as draft-ietf-wish-whep has it for a stream that is not being published
  camera_offline: { status: 409, retryable: true, sentence: 'The camera is offline.' },
  sdp_file_invalid: { status: 500, retryable: false, sentence: 'The SDP file does not describe a stream we can take.' },
  // local tools of a device
  ffmpeg_missing: {
    status: 503,
    retryable: false,
    sentence: 'ffmpeg was not found: motion, stills and AAC sound are off. Install it (`apt install ffmpeg`).',
  },
  ffmpeg_failed: { status: 503, retryable: true, sentence: 'ffmpeg has ended unexpectedly.' },
  gpio_failed: { status: 503, retryable: true, sentence: 'The GPIO line of the button cannot be watched.' },
  speaker_failed: { status: 503, retryable: true, sentence: 'The loudspeaker cannot be opened.' },
  speaker_none: { status: 404, retryable: false, sentence: 'This camera has no loudspeaker.' },
  engine_unavailable: {
    status: 503,
    retryable: false,
    sentence: 'The WebRTC library has no binary that loads on this machine: set media.engine to auto.',
  },
  // broker and messages
  broker_unreachable: { status: 503, retryable: true, sentence: 'The MQTT broker cannot be reached.' },
  broker_auth: { status: 401, retryable: false, sentence: 'The MQTT broker refuses the credential.' },
  authority_unknown: {
    status: 403,
    retryable: false,
    sentence: "The server's certificate is not from the authority that this device was enrolled with: enrol it again.",
  },
  message_invalid: { status: 400, retryable: false, sentence: 'A message does not fit its schema.' },
  message_too_large: { status: 413, retryable: false, sentence: 'A message is larger than allowed.' },
  message_expired: { status: 410, retryable: false, sentence: 'A message came too late.' },
  message_replayed: { status: 409, retryable: false, sentence: 'A message came twice.' },
  message_foreign: { status: 403, retryable: false, sentence: 'A message came from somebody it does not belong to.' },
  // signaling and media
  sdp_invalid: { status: 400, retryable: false, sentence: 'The SDP cannot be read.' },
  sdp_mismatch: { status: 406, retryable: false, sentence: 'The SDP does not fit what this camera sends.' },
  offer_unsupported: {
    status: 422,
    retryable: false,
    sentence: 'Only one picture and one sound are taken, both sent, in a codec that Porchlight knows.',
  },
  codec_unsupported: {
    status: 406,
    retryable: false,
    sentence: "This browser cannot play the camera's codec. Try another browser, or set the camera to H.264.",
  },
  signature_invalid: {
    status: 403,
    retryable: false,
    sentence: 'The other side could not prove who it is: no media flows.',
  },
  session_not_found: { status: 404, retryable: false, sentence: 'There is no such session.' },
  session_timeout: { status: 504, retryable: true, sentence: 'The connection was not made in time.' },
  session_limit: { status: 503, retryable: true, sentence: 'Too many sessions are open.' },
  session_ended: { status: 410, retryable: true, sentence: 'The session has ended.' },
  session_tag_missing: {
    status: 428,
    retryable: false,
    sentence: 'The request must say by If-Match which connection it means.',
  },
  session_tag_mismatch: { status: 412, retryable: false, sentence: 'The request means another connection.' },
  ice_restart_unsupported: {
    status: 422,
    retryable: false,
    sentence: 'A session cannot change its network path: open a new one.',
  },
  floor_taken: { status: 409, retryable: true, sentence: 'Somebody else is talking.' },
  picture_frozen: { status: 504, retryable: true, sentence: 'The picture has stopped moving.' },
  // the phone
  microphone_denied: {
    status: 403,
    retryable: false,
    sentence: 'This page may not use the microphone. Allow it in the browser settings of this site.',
  },
  microphone_missing: { status: 404, retryable: true, sentence: 'No microphone was found.' },
  microphone_failed: { status: 503, retryable: true, sentence: 'The microphone cannot be opened.' },
  page_insecure: {
    status: 403,
    retryable: false,
    sentence: 'Browsers give microphone and notifications to secure pages only: open Porchlight over HTTPS.',
  },
  notifications_denied: {
    status: 403,
    retryable: false,
    sentence: 'Notifications are blocked for this page. Allow them in the browser settings of this site.',
  },
  notifications_unsupported: {
    status: 501,
    retryable: false,
    sentence: 'This browser has no notifications here. On an iPhone, add Porchlight to the home screen first.',
  },
  webrtc_unavailable: { status: 501, retryable: false, sentence: 'This browser has no WebRTC, or it is switched off.' },
  playback_failed: { status: 500, retryable: true, sentence: 'The recording cannot be played.' },
  share_failed: { status: 500, retryable: true, sentence: 'The clip could not be shared. Save it instead.' },
  // recording
  disk_full: { status: 507, retryable: true, sentence: 'The recordings disk is full.' },
  disk_readonly: { status: 507, retryable: true, sentence: 'The recordings directory cannot be written.' },
  disk_failed: { status: 507, retryable: true, sentence: 'The recordings disk reports an error.' },
  spool_unwritable: {
    status: 507,
    retryable: true,
    sentence:
      'The device cannot keep footage on its own disk: only what fits into its memory waits for the gateway. Make room, or see that its data directory can be written.',
  },
  outbox_failed: {
    status: 507,
    retryable: true,
    sentence: 'The file with the events that wait for the gateway cannot be used: a restart of the device loses them.',
  },
  spool_unreadable: {
    status: 500,
    retryable: false,
    sentence: 'Footage kept on the disk of the device is damaged: what can be read of it is delivered.',
  },
  recordings_missing: {
    status: 507,
    retryable: true,
    sentence:
      'The recordings directory does not hold what the index knows: nothing is written to it. Mount its disk; if this one is meant to take its place, run `gateway recordings adopt`.',
  },
  recordings_foreign: {
    status: 507,
    retryable: true,
    sentence:
      'The recordings directory is not the one that the index belongs to: nothing is written to it. Mount the right disk; if this one is meant, run `gateway recordings adopt`.',
  },
  recordings_in_use: {
    status: 507,
    retryable: true,
    sentence: 'Another Porchlight uses this recordings directory: stop it first.',
  },
  recordings_differ: {
    status: 500,
    retryable: false,
    sentence:
      'Index and files do not agree. With `--rebuild` the index is made anew from the files; what they lost stays lost.',
  },
  recording_file_missing: { status: 404, retryable: false, sentence: 'A file that the index names is not there.' },
  recording_file_unknown: { status: 404, retryable: false, sentence: 'A recording is not in the index.' },
  recording_file_invalid: { status: 500, retryable: false, sentence: 'A file in the place of a recording is none.' },
  recording_file_torn: { status: 500, retryable: false, sentence: 'A file goes on after its last whole part.' },
  recording_file_differs: { status: 500, retryable: false, sentence: 'The index says something else of a file.' },
  recording_part_missing: {
    status: 404,
    retryable: false,
    sentence: 'A part that the index names is not in its file.',
  },
  recording_part_unknown: { status: 404, retryable: false, sentence: 'A part in a file is not in the index.' },
  recording_part_damaged: { status: 500, retryable: false, sentence: 'The bytes of a part are not those written.' },
  recording_part_differs: { status: 500, retryable: false, sentence: 'The index says something else of a part.' },
  recording_unreadable: { status: 500, retryable: true, sentence: 'The disk does not give a file or folder.' },
  export_failed: { status: 500, retryable: true, sentence: 'The file cannot be written.' },
  protected_nearly_full: {
    status: 507,
    retryable: true,
    sentence: 'Recordings that are kept for good take nearly all the room: release some, or recording will stop.',
  },
  protected_full: {
    status: 507,
    retryable: true,
    sentence: 'Only recordings that are kept for good are left: nothing is recorded until some are released.',
  },
  recording_not_found: { status: 404, retryable: false, sentence: 'There is no such recording.' },
  recording_codec: {
    status: 406,
    retryable: false,
    sentence: "Recordings cannot hold this camera's codec. Set the camera to H.264, H.265, VP9 or AV1.",
  },
  recording_empty: { status: 404, retryable: true, sentence: 'Nothing has been recorded for this event yet.' },
  recording_mixed: {
    status: 422,
    retryable: false,
    sentence:
      "The camera's codec changed in this time, and one file cannot hold both: ask for the times before and after.",
  },
  range_invalid: { status: 400, retryable: false, sentence: 'The time must begin before it ends.' },
  range_too_long: { status: 400, retryable: false, sentence: 'The time is too long: ask for less of it.' },
  range_empty: { status: 404, retryable: true, sentence: 'Nothing of this camera is recorded in this time.' },
  still_unavailable: { status: 404, retryable: true, sentence: 'There is no still picture for this event.' },
  footage_invalid: { status: 400, retryable: false, sentence: 'The footage cannot be read.' },
  footage_offset: { status: 409, retryable: true, sentence: 'The footage does not go on where it ended.' },
  index_failed: { status: 500, retryable: true, sentence: 'The index of recordings cannot be used.' },
  index_newer: { status: 500, retryable: false, sentence: 'The index was written by a newer Porchlight.' },
  // people and access
  sign_in_required: { status: 401, retryable: false, sentence: 'Please sign in.' },
  sign_in_link_invalid: { status: 401, retryable: false, sentence: 'This sign-in link is used up or too old.' },
  forbidden: { status: 403, retryable: false, sentence: 'You may not do that.' },
  origin_mismatch: { status: 403, retryable: false, sentence: 'The request comes from another site.' },
  too_many_requests: { status: 429, retryable: true, sentence: 'Too many requests: please wait a little.' },
  request_invalid: { status: 400, retryable: false, sentence: 'The request cannot be understood.' },
  media_type_unsupported: {
    status: 415,
    retryable: false,
    sentence: 'The request carries a kind of content that is not taken here.',
  },
  not_found: { status: 404, retryable: false, sentence: 'There is nothing at this address.' },
  event_not_found: { status: 404, retryable: false, sentence: 'There is no such event.' },
  device_not_found: { status: 404, retryable: false, sentence: 'There is no such device.' },
  device_exists: { status: 409, retryable: false, sentence: 'A device of that name is enrolled already.' },
  gateway_unreachable: { status: 503, retryable: true, sentence: 'The gateway cannot be reached.' },
  push_invalid: { status: 400, retryable: false, sentence: 'The push subscription is not valid.' },
  internal: { status: 500, retryable: true, sentence: 'Something went wrong inside Porchlight. The log says more.' },
} as const satisfies Record<string, ErrorEntry>

/** What the registry says of one error. */
export interface ErrorEntry {
  /** HTTP status that carries the error. */
  readonly status: number
  /** Whether the same request may succeed later without a change. */
  readonly retryable: boolean
  /** What a person reads. */
  readonly sentence: string
}

export type ErrorCode = keyof typeof entries

export const errors: Readonly<Record<ErrorCode, ErrorEntry>> = entries

export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === 'string' && Object.hasOwn(entries, value)
}

/** An error with a code of the registry. `detail` adds what is particular to this case; it never holds a secret. */
export class PorchlightError extends Error {
  override readonly name = 'PorchlightError'
  readonly code: ErrorCode
  readonly detail: string | undefined

  constructor(code: ErrorCode, detail?: string, options?: ErrorOptions) {
    super(detail === undefined ? errors[code].sentence : `${errors[code].sentence} (${detail})`, options)
    this.code = code
    this.detail = detail
  }

  get status(): number {
    return errors[this.code].status
  }

  get retryable(): boolean {
    return errors[this.code].retryable
  }
}

/** Problem details of RFC 9457 for an error, as the API sends them. */
export interface Problem {
  type: string
  title: string
  status: number
  code: ErrorCode
  detail?: string
}

export function toProblem(error: PorchlightError): Problem {
  return {
    type: `urn:porchlight:error:${error.code}`,
    title: errors[error.code].sentence,
    status: error.status,
    code: error.code,
    ...(error.detail === undefined ? {} : { detail: error.detail }),
  }
}

/** Gives any thrown value a code; what has none becomes `fallback` with the cause kept. */
export function asPorchlightError(thrown: unknown, fallback: ErrorCode = 'internal'): PorchlightError {
  if (thrown instanceof PorchlightError) return thrown
  const detail = thrown instanceof Error ? thrown.message : String(thrown)
  return new PorchlightError(fallback, detail, { cause: thrown })
}
