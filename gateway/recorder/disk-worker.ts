import { parentPort, workerData } from 'node:worker_threads'
import { type ErrorCode, PorchlightError } from '@porchlight/proto/errors.ts'
import { DiskFiles } from './disk-files.ts'
import type { DiskAnswers, DiskOptions, DiskRequest, DiskResponse, DiskWork } from './disk-protocol.ts'
import type { FileLayer } from './file-layer.ts'
import { RecordingsDirectory } from './recordings-directory.ts'
import { scanFiles } from './scan-files.ts'

/** A thread that writes recordings: a slow disk holds up nothing but itself. */

if (parentPort === null) throw new Error('this file is a worker')
const port = parentPort
const { directory, fileLayer: layerModule = './file-layer.ts' } = workerData as DiskOptions
const { fileLayer } = (await import(layerModule)) as { fileLayer: FileLayer }
const files = new DiskFiles(directory, fileLayer)
const recordings = new RecordingsDirectory(directory, fileLayer)

function answer(request: DiskWork): DiskAnswers[keyof DiskAnswers] {
  switch (request.type) {
    case 'claim':
      return { identity: recordings.claim(request.claim) }
    case 'check':
      recordings.check(request.identity)
      return {}
    case 'create':
      recordings.check(request.identity)
      return files.create(request.stem, request.content)
    case 'append':
      return files.append(request.file, request.content)
    case 'finish':
      return files.finish(request.file)
    case 'discard':
      files.discard(request.file)
      return {}
    case 'seal':
      files.seal(request.path, request.bytes)
      return {}
    case 'replace':
      recordings.check(request.identity)
      files.replace(request.path, request.content)
      return {}
    case 'remove':
      files.remove(request.path)
      return {}
    case 'space':
      return files.space(request.probe)
    case 'scan':
      return scanFiles(directory, request.known)
    case 'close':
      files.close()
      recordings.close()
      return {}
  }
}

port.on('message', ({ id, work }: DiskRequest) => {
  let response: DiskResponse
  try {
    response = { id, ok: true, answer: answer(work) }
  } catch (thrown) {
    response = { id, ok: false, ...failure(thrown) }
  }
  port.postMessage(response)
  if (work.type === 'close') port.close()
})

function failure(thrown: unknown): { message: string; errno?: string; code?: ErrorCode } {
  if (thrown instanceof PorchlightError) return { message: thrown.detail ?? '', code: thrown.code }
  const message = thrown instanceof Error ? thrown.message : String(thrown)
  return thrown instanceof Error && 'code' in thrown ? { message, errno: String(thrown.code) } : { message }
}
