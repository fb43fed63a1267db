import { asPorchlightError } from '@porchlight/proto/errors.ts'
import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { sentenceOf } from '../api/request.ts'
import { isKept, keep, readKept } from '../state/kept.ts'
import { noticeSignedOut } from '../state/session.ts'
import { Icon } from './icons.tsx'

/** Keeps an event and its recording until it is released. @param said gets the sentence of what went wrong; undefined: nothing */
export function KeepButton({ eventId, said }: { eventId: string; said(sentence: string | undefined): void }) {
  const busy = useSignal(false)
  const kept = isKept(eventId)
  const attempt = async (action: () => Promise<void>) => {
    busy.value = true
    said(undefined)
    try {
      await action()
    } catch (thrown) {
      noticeSignedOut(thrown)
      said(sentenceOf(asPorchlightError(thrown)))
    } finally {
      busy.value = false
    }
  }
  useEffect(() => void attempt(() => readKept(eventId)), [eventId])
  return (
    <button
      type="button"
      class="quiet keep-button"
      aria-pressed={kept === true}
      disabled={busy.value}
      title={kept ? 'Kept until you release it' : 'Keep it: it is not deleted when room is needed'}
      onClick={() => void attempt(() => keep(eventId, !kept))}
    >
      <Icon name={kept ? 'kept' : 'keep'} /> {kept ? 'Kept' : 'Keep'}
    </button>
  )
}
