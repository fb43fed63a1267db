/** What this phone remembers between visits. Nothing secret is ever among it. */
type Preference = 'sound' | 'microphone' | 'fill'

/** What was remembered; undefined also where the browser keeps nothing (private windows). */
export function remembered(key: Preference): string | undefined {
  try {
    return localStorage.getItem(`porchlight.${key}`) ?? undefined
  } catch (error) {
    console.info('This browser remembers nothing:', error)
    return undefined
  }
}

export function remember(key: Preference, value: string): void {
  try {
    localStorage.setItem(`porchlight.${key}`, value)
  } catch (error) {
    console.info('This browser remembers nothing:', error)
  }
}
