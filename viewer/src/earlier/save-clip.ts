/** A browser may begin to read a file that it was given this long after, ms. */
const readWithinMs = 60_000

/** `Front door 2026-05-01 22.10.05.mp4`, in the phone's own time. @param type media type */
export function clipName(title: string, fromMs: number, type: string): string {
  const local = new Date(fromMs - new Date(fromMs).getTimezoneOffset() * 60_000).toISOString()
  return `${title} ${local.slice(0, 10)} ${local.slice(11, 19).replaceAll(':', '.')}.${type.includes('webm') ? 'webm' : 'mp4'}`
}

/** Gives a file to the browser's downloads. */
export function saveFile(file: File): void {
  const url = URL.createObjectURL(file)
  saveLink(url, file.name)
  setTimeout(() => URL.revokeObjectURL(url), readWithinMs)
}

/** Has the browser download an address. @param name where the answer does not say it */
export function saveLink(url: string, name = ''): void {
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
}
