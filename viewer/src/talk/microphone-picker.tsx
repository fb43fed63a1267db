import { useEffect } from 'preact/hooks'
import { chooseMicrophone, chosenMicrophone, listMicrophones, microphones } from './microphones.ts'

/** Which microphone talks; the choice is remembered. */
export function MicrophonePicker() {
  useEffect(() => {
    const list = () => {
      listMicrophones().catch((error: unknown) => console.warn('Microphones cannot be listed:', error))
    }
    list()
    navigator.mediaDevices?.addEventListener('devicechange', list)
    return () => navigator.mediaDevices?.removeEventListener('devicechange', list)
  }, [])
  const known = microphones.value.some((microphone) => microphone.id === chosenMicrophone.value)
  return (
    <label class="picker">
      <span>Microphone</span>
      <select
        value={known ? chosenMicrophone.value : ''}
        onChange={(event) => chooseMicrophone(event.currentTarget.value)}
      >
        <option value="">Phone’s own choice</option>
        {microphones.value.map((microphone) => (
          <option key={microphone.id} value={microphone.id}>
            {microphone.label}
          </option>
        ))}
      </select>
    </label>
  )
}
