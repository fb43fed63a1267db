/** Takes the packets out of an Ogg stream of one logical stream (RFC 3533 §6), as ffmpeg writes it to a pipe. */
export class OggPackets {
  #rest = new Uint8Array(0)
  #pieces: Uint8Array[] = []

  /** Packets that are whole now, in order. What is no Ogg page is passed over. */
  push(chunk: Uint8Array): Uint8Array[] {
    const bytes = new Uint8Array(this.#rest.byteLength + chunk.byteLength)
    bytes.set(this.#rest)
    bytes.set(chunk, this.#rest.byteLength)
    const packets: Uint8Array[] = []
    let at = 0
    while (at + 27 <= bytes.byteLength) {
      if (!isPage(bytes, at)) {
        at += 1
        continue
      }
      const segments = bytes[at + 26]!
      const table = bytes.subarray(at + 27, at + 27 + segments)
      const size = table.reduce((sum, length) => sum + length, 27 + segments)
      if (table.byteLength < segments || at + size > bytes.byteLength) break
      this.#page(bytes.subarray(at + 27 + segments, at + size), table, packets)
      at += size
    }
    this.#rest = bytes.slice(at)
    return packets
  }

  #page(body: Uint8Array, table: Uint8Array, packets: Uint8Array[]): void {
    let at = 0
    for (const length of table) {
      this.#pieces.push(body.subarray(at, at + length))
      at += length
      // a lacing value below 255 ends a packet
      if (length === 255) continue
      packets.push(new Uint8Array(Buffer.concat(this.#pieces)))
      this.#pieces = []
    }
  }
}

function isPage(bytes: Uint8Array, at: number): boolean {
  return bytes[at] === 0x4f && bytes[at + 1] === 0x67 && bytes[at + 2] === 0x67 && bytes[at + 3] === 0x53
}
