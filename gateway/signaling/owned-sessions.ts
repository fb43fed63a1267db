import { type ErrorCode, PorchlightError } from '@porchlight/proto/errors.ts'
import { parseSdpFragment, type SdpFragment } from '@porchlight/proto/media/sdp-fragment.ts'
import { credentialOf, type Subject } from '../auth/subject.ts'

/** A session that somebody opened by an HTTP request. */
export interface OwnedSession {
  readonly id: string
  readonly camera: string
  readonly subject: Subject
  /** @throws PorchlightError `ice_restart_unsupported` */
  trickle(fragment: SdpFragment): void
  /** Idempotent. */
  end(reason: ErrorCode | 'closed'): Promise<void>
}

/** Sessions by their ids: only who opened one may go on with it. */
export class OwnedSessions<Session extends OwnedSession> implements Iterable<Session> {
  readonly #sessions = new Map<string, Session>()

  get size(): number {
    return this.#sessions.size
  }

  [Symbol.iterator](): IterableIterator<Session> {
    return [...this.#sessions.values()][Symbol.iterator]()
  }

  add(session: Session): void {
    this.#sessions.set(session.id, session)
  }

  delete(id: string): void {
    this.#sessions.delete(id)
  }

  /** Undefined where there is none. @throws PorchlightError `forbidden` where it is somebody else's */
  own(id: string, subject: Subject): Session | undefined {
    const session = this.#sessions.get(id)
    if (session && !sameSubject(session.subject, subject)) throw new PorchlightError('forbidden')
    return session
  }

  /**
   * Takes its owner's candidates (RFC 8840).
   * @throws PorchlightError `session_not_found`, `forbidden`, `sdp_invalid`, `ice_restart_unsupported`
   */
  trickle(id: string, fragment: string, subject: Subject): void {
    const session = this.own(id, subject)
    if (!session) throw new PorchlightError('session_not_found')
    session.trickle(parseSdpFragment(fragment))
  }

  /** Ends a session; one that is gone already is no error. @throws PorchlightError `forbidden` */
  async leave(id: string, subject: Subject): Promise<void> {
    await this.own(id, subject)?.end('closed')
  }

  /** Ends what was opened with a credential. */
  async endOf(credentialId: string): Promise<void> {
    const theirs = [...this].filter(({ subject }) => credentialOf(subject)?.id === credentialId)
    await Promise.all(theirs.map((session) => session.end('sign_in_required')))
  }

  /** Ends what shows or sends a camera that was switched off. */
  async endCamera(camera: string): Promise<void> {
    const here = [...this].filter((session) => session.camera === camera)
    await Promise.all(here.map((session) => session.end('camera_off')))
  }

  async endAll(): Promise<void> {
    await Promise.all([...this].map((session) => session.end('closed')))
  }
}

function sameSubject(a: Subject, b: Subject): boolean {
  if (a.kind === 'user') return b.kind === 'user' && a.userId === b.userId
  if (a.kind === 'token') return b.kind === 'token' && a.name === b.name
  if (a.kind === 'publisher') return b.kind === 'publisher' && a.camera === b.camera
  return false
}
