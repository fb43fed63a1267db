/**
 * The same bytes as a plain `Uint8Array`: `slice` of a Node `Buffer` does not copy, so Buffers stay at the sockets.
 * Nothing is copied here.
 */
export function plainBytes(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
}
