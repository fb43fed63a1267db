import { parentPort, workerData } from 'node:worker_threads'
import { DiskFiles } from './disk-files.ts'
import type { DiskAnswers, DiskOptions, DiskRequest, DiskResponse } from './disk-protocol.ts'
import { scanFiles } from './scan-files.ts'

/** The thread that writes recordings: a slow disk holds up nothing but itself. */

if (parentPort === null) throw new Error('this file is a worker')
const port = parentPort
const { directory } = workerData as DiskOptions
const files = new DiskFiles(directory)

function work(request: DiskRequest): DiskAnswers[keyof DiskAnswers] {
  switch (request.type) {
    case 'create':
      return files.create(request.stem, request.content)
    case 'append':
      return files.append(request.file, request.content)
    case 'finish':
      files.finish(request.file)
      return {}
    case 'seal':
      files.seal(request.path, request.bytes)
      return {}
    case 'replace':
      files.replace(request.path, request.content)
      return {}
    case 'remove':
      files.remove(request.path)
      return {}
    case 'space':
      return files.space(request.probe)
    case 'scan':
      return { files: scanFiles(directory, request.known) }
    case 'close':
      files.close()
      return {}
  }
}

port.on('message', (request: DiskRequest) => {
  const { id } = request
  let response: DiskResponse
  try {
    response = { id, ok: true, answer: work(request) }
  } catch (thrown) {
    const message = thrown instanceof Error ? thrown.message : String(thrown)
    const errno = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : undefined
    response = { id, ok: false, message, ...(errno === undefined ? {} : { errno }) }
  }
  port.postMessage(response)
  if (request.type === 'close') port.close()
})
