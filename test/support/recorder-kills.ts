import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { expect } from 'vitest'
import { type Finding, fsck } from '../../gateway/recorder/fsck.ts'
import { Recorder } from '../../gateway/recorder/recorder.ts'
import { openStore } from '../../gateway/store/open-store.ts'
import { videoUnits } from './coded-samples.ts'
import { footageBody } from './footage-body.ts'
import { quietLog } from './quiet-log.ts'
import { seeded } from './random.ts'
import { ScriptedSfu } from './scripted-sfu.ts'

const camera = 'door.front'
const program = new URL('./recorded-until-killed.ts', import.meta.url).pathname
/** Longest time from the first part to the kill, ms. */
const longestMs = 120

export interface Kills {
  kills: number
  /** Parts that were said to be durable. */
  durable: number
  /** Parts that the index knew only after the next start. */
  takenIn: number
  files: number
}

/**
 * Kills a recorder (SIGKILL) again and again at random moments, half of the times on a directory that was recorded to
 * before, and looks through what it leaves behind: all that it called durable is there, each file ends with a whole part,
 * and index and files agree.
 */
export async function killRecorders(folder: string, kills: number, seed: number): Promise<Kills> {
  const random = seeded(seed)
  const footage = join(folder, 'pictures.footage')
  const pieces: Uint8Array[] = []
  const units = await videoUnits({ seconds: 2, size: '64x48', framesPerSecond: 10, gop: 10 })
  for await (const piece of footageBody('boot-0000', units)()) pieces.push(piece)
  await writeFile(footage, Buffer.concat(pieces))
  const sum: Kills = { kills: 0, durable: 0, takenIn: 0, files: 0 }
  let home = ''
  const said = new Set<string>()
  for (let kill = 0; kill < kills; kill += 1) {
    if (kill % 2 === 0) {
      if (home !== '') await rm(home, { recursive: true })
      home = join(folder, `home-${kill}`)
      await mkdir(home)
      said.clear()
    }
    const before = said.size
    for (const line of await recordUntilKilled([home, footage, camera, `boot-${1_000 + kill}`], folder, random))
      said.add(line)
    sum.durable += said.size - before
    const { takenIn, files } = await lookThrough(home, said)
    sum.kills += 1
    sum.takenIn += takenIn
    sum.files += files
  }
  return sum
}

/** @returns the parts that were said to be durable */
async function recordUntilKilled(words: readonly string[], cache: string, random: () => number): Promise<string[]> {
  const env = { ...process.env, NODE_COMPILE_CACHE: join(cache, 'compiled') }
  const child: ChildProcess = spawn(process.execPath, [program, ...words], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  try {
    let text = ''
    child.stdout!.setEncoding('utf8').on('data', (piece: string) => {
      text += piece
    })
    const first = once(child.stdout!, 'data')
    const closed = once(child, 'close')
    // one in four is killed on its way to its first part
    if (random() < 0.25) await wait(random() * longestMs)
    else await Promise.race([first, closed])
    await wait(random() * longestMs)
    child.kill('SIGKILL')
    expect(await closed).toEqual([null, 'SIGKILL'])
    return text.split('\n').slice(0, -1)
  } finally {
    child.kill('SIGKILL')
  }
}

async function lookThrough(home: string, said: ReadonlySet<string>): Promise<{ takenIn: number; files: number }> {
  const directory = join(home, 'recordings')
  await using store = await openStore(join(home, 'index.sqlite'), quietLog)
  const { db } = store
  const count = async () =>
    Number(
      (
        await db
          .selectFrom('parts')
          .select(({ fn }) => fn.countAll().as('n'))
          .executeTakeFirstOrThrow()
      ).n,
    )
  const before = await count()
  {
    const silent = { ffmpeg: undefined, log: quietLog, now: Date.now, askFootage: () => undefined }
    await using recorder = new Recorder({ db, directory, sfu: new ScriptedSfu(), ...silent })
    await recorder.start()
  }
  const findings: Finding[] = []
  const { files } = await fsck({ db, directory, onFinding: (finding) => findings.push(finding), onProgress: () => {} })
  expect(findings).toEqual([])
  const rows = await db.selectFrom('parts').select(['run', 'first_frame', 'last_frame']).execute()
  const known = new Set(rows.map((row) => `${row.run} ${row.first_frame} ${row.last_frame}`))
  expect([...said].filter((line) => !known.has(line))).toEqual([])
  return { takenIn: (await count()) - before, files }
}
