import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

function mount(directory: string, options: string): boolean {
  return spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', directory]).status === 0
}

function unmount(directory: string): void {
  const { status, stderr } = spawnSync('umount', ['-l', directory])
  if (status !== 0) throw new Error(`umount ${directory}: ${stderr}`)
}

/** Whether this machine lets us mount a disk of our own (root in a machine or container that may). */
export function canMount(): boolean {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false
  const probe = mkdtempSync(join(tmpdir(), 'porchlight-mount-'))
  const mounted = mount(probe, 'size=4k')
  if (mounted) unmount(probe)
  rmdirSync(probe)
  return mounted
}

/** A disk of so many kilobytes at `directory`, until `close`. */
export function smallDisk(directory: string, kilobytes: number) {
  mkdirSync(directory, { recursive: true })
  if (!mount(directory, `size=${kilobytes}k`)) throw new Error(`no disk at ${directory}`)
  const change = (options: string) => {
    if (!mount(directory, `remount,${options}`)) throw new Error(`remount,${options} was refused`)
  }
  return {
    resize: (size: number) => change(`size=${size}k`),
    readOnly: () => change('ro'),
    writable: () => change('rw'),
    close: () => unmount(directory),
  }
}
