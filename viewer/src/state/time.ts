import { signal } from '@preact/signals'

/** Wall clock of the page, moved once a second. */
export const now = signal(Date.now())

/** Starts the clock; gives the way to stop it. */
export function startClock(): () => void {
  const timer = setInterval(() => {
    now.value = Date.now()
  }, 1_000)
  return () => clearInterval(timer)
}

/** How long ago, as people say it: `5 s ago`, `3 min ago`, `2 h ago`, `4 days ago`. @param ms age */
export function ago(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000))
  if (seconds < 60) return `${seconds} s ago`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes} min ago`
  const hours = Math.floor(minutes / 60)
  if (hours < 48) return `${hours} h ago`
  return `${Math.floor(hours / 24)} days ago`
}

/** How long something took: `8 s`, `1:05 min`. @param ms duration */
export function lasting(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000))
  if (seconds < 60) return `${seconds} s`
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')} min`
}

/** Time of day in the phone's own way. @param at ms since the Unix epoch */
export function timeOfDay(at: number): string {
  return new Date(at).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' })
}

/** The same, to the second. */
export function secondOfDay(at: number): string {
  return new Date(at).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', second: '2-digit' })
}

/** `Today`, `Yesterday`, or the date. @param at ms since the Unix epoch */
export function dayOf(at: number, today: number): string {
  const days = Math.round((startOfDay(today) - startOfDay(at)) / 86_400_000)
  if (days === 0) return 'Today'
  if (days === 1) return 'Yesterday'
  return new Date(at).toLocaleDateString([], { weekday: 'long', day: 'numeric', month: 'long' })
}

function startOfDay(at: number): number {
  return new Date(at).setHours(0, 0, 0, 0)
}
