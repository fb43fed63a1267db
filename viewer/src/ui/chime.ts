/** The two tones of a doorbell: frequency in Hz, start in s. */
const tones = [
  [659.25, 0],
  [523.25, 0.45],
] as const

let context: AudioContext | undefined

/** Plays a doorbell's chime where the browser allows sound: it does after the first touch of the page. */
export function chime(): void {
  if (!navigator.userActivation?.hasBeenActive) return
  context ??= new AudioContext()
  for (const [frequency, start] of tones) {
    const at = context.currentTime + start
    const tone = new OscillatorNode(context, { frequency })
    const loudness = new GainNode(context, { gain: 0 })
    loudness.gain.setValueAtTime(0, at)
    loudness.gain.linearRampToValueAtTime(0.25, at + 0.02)
    loudness.gain.exponentialRampToValueAtTime(0.001, at + 1.2)
    tone.connect(loudness).connect(context.destination)
    tone.start(at)
    tone.stop(at + 1.3)
  }
}
