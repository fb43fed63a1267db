import { PorchlightError } from '@porchlight/proto/errors.ts'
import { signal } from '@preact/signals'
import { remember, remembered } from '../state/preferences.ts'

export interface Microphone {
  id: string
  label: string
}

/** How long an opened microphone is kept after talking, so that the next press speaks at once, ms. */
const restMs = 20_000

/** Microphones of this phone; their names are known once the page was allowed to use one. */
export const microphones = signal<Microphone[]>([])
/** Id of the chosen one; empty: the browser's default. */
export const chosenMicrophone = signal(remembered('microphone') ?? '')

let open: MediaStreamTrack | undefined
let resting: ReturnType<typeof setTimeout> | undefined

export async function listMicrophones(): Promise<void> {
  if (!navigator.mediaDevices) return
  const devices = await navigator.mediaDevices.enumerateDevices()
  microphones.value = devices
    .filter((device) => device.kind === 'audioinput' && device.deviceId !== '' && device.deviceId !== 'default')
    .map((device, index) => ({ id: device.deviceId, label: device.label || `Microphone ${index + 1}` }))
}

export function chooseMicrophone(id: string): void {
  chosenMicrophone.value = id
  remember('microphone', id)
  stopMicrophone()
}

/** @throws PorchlightError `page_insecure`, `microphone_denied`, `microphone_missing`, `microphone_failed` */
export async function openMicrophone(): Promise<MediaStreamTrack> {
  clearTimeout(resting)
  if (open?.readyState === 'live') return open
  if (!navigator.mediaDevices) throw new PorchlightError('page_insecure')
  try {
    const stream = await navigator.mediaDevices.getUserMedia({
      audio: {
        ...(chosenMicrophone.value === '' ? {} : { deviceId: { ideal: chosenMicrophone.value } }),
        echoCancellation: true,
        noiseSuppression: true,
        autoGainControl: true,
      },
    })
    open = stream.getAudioTracks()[0]
  } catch (cause) {
    const name = cause instanceof DOMException ? cause.name : ''
    if (name === 'NotAllowedError') throw new PorchlightError('microphone_denied', undefined, { cause })
    if (name === 'NotFoundError') throw new PorchlightError('microphone_missing', undefined, { cause })
    throw new PorchlightError('microphone_failed', name, { cause })
  }
  if (!open) throw new PorchlightError('microphone_missing')
  await listMicrophones()
  return open
}

/** Talking is over for now. */
export function restMicrophone(): void {
  clearTimeout(resting)
  resting = setTimeout(stopMicrophone, restMs)
}

export function stopMicrophone(): void {
  clearTimeout(resting)
  open?.stop()
  open = undefined
}
