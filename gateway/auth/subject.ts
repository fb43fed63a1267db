import { PorchlightError } from '@porchlight/proto/errors.ts'

/** What a subject was known by: what it opens lasts no longer. */
export interface Credential {
  /** SHA-256 of the cookie or token: names a sign-in inside the gateway. */
  id: string
  /** ms since the Unix epoch; Infinity where it lasts until it is taken back */
  expiresAt: number
}

/** Who asks. */
export type Subject =
  | { kind: 'user'; userId: string; name: string; role: 'owner'; credential: Credential }
  /** An access token for scripts (`gateway token`). */
  | { kind: 'token'; cameras: readonly string[]; name: string; credential: Credential }
  /** Who publishes a camera by WHIP (`gateway token --publish`). */
  | { kind: 'publisher'; camera: string; credential: Credential }
  | { kind: 'device'; device: string }
  | { kind: 'nobody' }

export type Action = 'view' | 'talk' | 'manage' | 'deliver' | 'publish'

/**
 * The one rule of who may do what: owner everything but deliver and publish; a token views its cameras; a publisher publishes
 * its one; a device delivers footage of its own cameras.
 * @param camera camera id, or undefined where the action concerns no single camera
 */
export function may(subject: Subject, action: Action, camera: string | undefined): boolean {
  switch (subject.kind) {
    case 'user':
      return action !== 'deliver' && action !== 'publish'
    case 'token':
      return action === 'view' && camera !== undefined && subject.cameras.includes(camera)
    case 'publisher':
      return action === 'publish' && camera === subject.camera
    case 'device':
      return action === 'deliver' && camera !== undefined && camera.startsWith(`${subject.device}.`)
    case 'nobody':
      return false
  }
}

/** What the subject was known by; undefined where its rights rest on none that ends. */
export function credentialOf(subject: Subject): Credential | undefined {
  return 'credential' in subject ? subject.credential : undefined
}

/** How long what the subject opens may last, ms; Infinity where its rights do not end. @param now ms since the Unix epoch */
export function lifeMs(subject: Subject, now: number): number {
  return (credentialOf(subject)?.expiresAt ?? Number.POSITIVE_INFINITY) - now
}

/** @throws PorchlightError `sign_in_required` for nobody, else `forbidden` */
export function mustBeAllowed(subject: Subject, action: Action, camera: string | undefined): void {
  if (may(subject, action, camera)) return
  throw new PorchlightError(subject.kind === 'nobody' ? 'sign_in_required' : 'forbidden')
}

/** What others call somebody. */
export function nameOf(subject: Subject): string {
  if (subject.kind === 'publisher') return subject.camera
  return subject.kind === 'user' || subject.kind === 'token' ? subject.name : subject.kind
}
