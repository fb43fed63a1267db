import type { FileLayer } from './file-layer.ts'

/** A new name in a directory survives a power cut only when the directory was written, too. @throws errors of node:fs */
export function syncDirectory(layer: FileLayer, path: string): void {
  const descriptor = layer.openSync(path, 'r')
  try {
    layer.fsyncSync(descriptor)
  } finally {
    layer.closeSync(descriptor)
  }
}
