import { readFileSync, writeSync } from 'node:fs'
import { flushCompileCache } from 'node:module'
import { join } from 'node:path'
import { FootageDecoder } from '@porchlight/proto/footage.ts'
import type { AccessUnit } from '@porchlight/proto/media/access-unit.ts'
import { keepIdentity, readClaim } from '../../gateway/recorder/claim.ts'
import { Disk } from '../../gateway/recorder/disk.ts'
import { Intake } from '../../gateway/recorder/intake.ts'
import { CameraLedger } from '../../gateway/recorder/ledger.ts'
import { Mender } from '../../gateway/recorder/mender.ts'
import { PartRows } from '../../gateway/recorder/part-rows.ts'
import { openStore } from '../../gateway/store/open-store.ts'
import { quietLog } from './quiet-log.ts'

/**
 * Records the pictures of a file of footage over and over, as fast as the disk takes them, until it is killed.
 * Says `run first last` of each part once it is told that the part is durable.
 * Arguments: a folder for the index and the recordings, the file, a camera, a run.
 */
const [folder, footage, camera, run] = process.argv.slice(2) as [string, string, string, string]

/** Parts on their way to the disk at a time. */
const maxPending = 4

const pictures: AccessUnit[] = []
const decoder = new FootageDecoder({ header: () => {}, unit: (unit) => pictures.push(unit), audio: () => {} })
decoder.push(readFileSync(footage))
decoder.end()
const spanMs = pictures.at(-1)!.captureMs - pictures[0]!.captureMs + 40

const directory = join(folder, 'recordings')
const { db } = await openStore(join(folder, 'index.sqlite'), quietLog)
const disk = new Disk({ directory }, async (claiming) => {
  const claim = await readClaim(db)
  await keepIdentity(db, await claiming.claim(claim))
})
const intake = new Intake({
  ...{ disk, db, partRows: new PartRows(db), camera, kind: 'live', now: Date.now },
  ledger: new CameraLedger(db, camera),
  mender: new Mender(db, directory, camera),
  refusal: () => undefined,
  onWritten: ({ part }) => {
    // written at once: what a pipe holds when the process dies is still read
    writeSync(1, `${part.run} ${part.units[0]!.frame} ${part.units.at(-1)!.frame}\n`)
  },
  onFailed: (error) => {
    throw error
  },
})
flushCompileCache() // a program that is killed keeps none for the next
intake.format(run, undefined)
await intake.settled()
for (let round = 0; ; round += 1) {
  for (const [index, picture] of pictures.entries()) {
    const frame = round * pictures.length + index
    intake.unit({ ...picture, frame, captureMs: picture.captureMs + round * spanMs })
    while (intake.pending >= maxPending) await intake.settled()
  }
}
