import type { CameraNotice } from '@porchlight/proto/messages/notice.ts'
import { sentenceOfCode } from '../api/request.ts'

/** What is limited at a camera although it works: one sentence each. */
export function Notes({ camera }: { camera: CameraNotice }) {
  const codes = [...camera.notes, ...(camera.recordingError === undefined ? [] : [camera.recordingError])]
  if (codes.length === 0) return null
  return (
    <ul class="notes" aria-label="Limits of this camera">
      {[...new Set(codes)].map((code) => (
        <li key={code}>{sentenceOfCode(code)}</li>
      ))}
    </ul>
  )
}
