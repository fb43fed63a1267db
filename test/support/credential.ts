import type { Credential } from '../../gateway/auth/subject.ts'

/** A sign-in that never ends. */
export const credential: Credential = { id: 'a-sign-in', expiresAt: Number.MAX_SAFE_INTEGER }
