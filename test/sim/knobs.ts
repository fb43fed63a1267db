/** What tests may do to a simulated camera while it runs. */
export interface Knobs {
  /** Neither media nor answers any more, but connections stay open: a camera that hangs. */
  hang: boolean
  /** Media stops, RTSP goes on. */
  mute: boolean
  /** New connections are closed at once. */
  refuse: boolean
  /** UDP: share of packets lost on the way to the client, 0…1. */
  lossShare: number
  /** UDP: every n-th packet goes after its successor; 0 never. */
  swapEvery: number
  /** RTCP sender reports are sent. */
  senderReports: boolean
  /** The camera's clock is wrong by so many ms (in sender reports). */
  clockOffsetMs: number
  /** Frequency of the microphone's tone, Hz. */
  toneHz: number
}

export const defaultKnobs: Readonly<Knobs> = {
  hang: false,
  mute: false,
  refuse: false,
  lossShare: 0,
  swapEvery: 0,
  senderReports: true,
  clockOffsetMs: 0,
  toneHz: 440,
}

/** Takes over what fits into knobs; throws an Error at names and types it does not know. */
export function turnKnobs(knobs: Knobs, change: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(change)) {
    if (!Object.hasOwn(defaultKnobs, name) || typeof value !== typeof defaultKnobs[name as keyof Knobs]) {
      throw new Error(`There is no knob ${name} for this value`)
    }
  }
  Object.assign(knobs, change)
}
