import { readFile } from 'node:fs/promises'

/** USER_HZ, the unit of /proc/PID/stat: 100 on every Linux of ours. */
const ticksPerSecond = 100

export interface Usage {
  /** CPU seconds used so far, all threads. */
  cpuS: number
  /** Resident memory now, MB. */
  rssMb: number
}

/** What a process has cost so far. Linux only (/proc). */
export async function usage(pid: number): Promise<Usage> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'ENOENT' ? new Error(`process ${pid} has ended`) : error
  })
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ') // from field 3 on (proc(5))
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  const rssKb = Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0)
  return { cpuS: (Number(fields[11]) + Number(fields[12])) / ticksPerSecond, rssMb: rssKb / 1024 }
}

export async function childrenOf(pid: number): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')
  return text.split(' ').filter(Boolean).map(Number)
}

/** What several processes have cost together. */
export async function totalUsage(pids: readonly number[]): Promise<Usage> {
  const all = await Promise.all(pids.map(usage))
  const sum = (of: (one: Usage) => number) => all.reduce((so, one) => so + of(one), 0)
  return { cpuS: sum((one) => one.cpuS), rssMb: sum((one) => one.rssMb) }
}
