import { type ErrorCode, PorchlightError } from '@porchlight/proto/errors.ts'

/** Which sentence of ours an error of the operating system is. */
export function diskErrorCode(errno: string | undefined): ErrorCode {
  switch (errno) {
    case 'ENOSPC':
    case 'EDQUOT':
    case 'EFBIG':
      return 'disk_full'
    case 'EROFS':
    case 'EACCES':
    case 'EPERM':
      return 'disk_readonly'
    default:
      return 'disk_failed'
  }
}

/** Whether an error is one of these of the operating system. */
export function hasErrno(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code))
}

/** Gives an error of the operating system its code; others stay as they are. */
export function asDiskError(thrown: unknown): unknown {
  if (thrown instanceof PorchlightError || !(thrown instanceof Error && 'code' in thrown)) return thrown
  return new PorchlightError(diskErrorCode(String(thrown.code)), thrown.message, { cause: thrown })
}
