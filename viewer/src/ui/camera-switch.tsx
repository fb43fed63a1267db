import type { CameraNotice } from '@porchlight/proto/messages/notice.ts'
import { useSignal } from '@preact/signals'
import { switchCamera } from '../api/calls.ts'
import { sentenceOf } from '../api/request.ts'
import { noticeSignedOut } from '../state/session.ts'

/** Switches a camera off and on. What it shows is what the gateway has told. */
export function CameraSwitch({ camera: { id, recordingMode } }: { camera: CameraNotice }) {
  const busy = useSignal(false)
  const problem = useSignal<string | undefined>(undefined)
  const on = recordingMode !== 'off'
  const press = async () => {
    busy.value = true
    problem.value = undefined
    try {
      await switchCamera(id, !on)
    } catch (error) {
      noticeSignedOut(error)
      problem.value = sentenceOf(error)
    } finally {
      busy.value = false
    }
  }
  return (
    <div class="setting camera-switch">
      <span id="camera-switch">Camera {on ? 'on' : 'off'}</span>
      {problem.value && (
        <p class="problem" role="alert">
          {problem.value}
        </p>
      )}
      <button
        type="button"
        role="switch"
        class="switch"
        aria-labelledby="camera-switch"
        aria-checked={on}
        disabled={busy.value || recordingMode === undefined}
        onClick={() => void press()}
      />
    </div>
  )
}
