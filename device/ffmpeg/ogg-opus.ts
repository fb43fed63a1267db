/** Ogg (RFC 3533) as far as Opus in it (RFC 7845) needs it: one packet a page, written and read. */

const crcTable = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 24
  for (let bit = 0; bit < 8; bit++) crc = crc & 0x80000000 ? (crc << 1) ^ 0x04c11db7 : crc << 1
  return crc >>> 0
})

function crcOf(bytes: Uint8Array): number {
  let crc = 0
  for (const byte of bytes) crc = ((crc << 8) ^ crcTable[((crc >>> 24) ^ byte) & 0xff]!) >>> 0
  return crc
}

/** Longest packet that fits a page with its end in it, bytes. */
const maxPagePacket = 254 * 255

/** Samples of an Opus packet at 48 kHz, from its table of contents (RFC 6716 §3.1); 0 where it is malformed. */
export function opusSamples(packet: Uint8Array): number {
  const toc = packet[0]
  if (toc === undefined) return 0
  const config = toc >> 3
  const frame =
    config < 12 ? [480, 960, 1920, 2880][config & 3]! : config < 16 ? [480, 960][config & 1]! : 120 << (config & 3)
  const code = toc & 3
  const frames = code === 0 ? 1 : code < 3 ? 2 : (packet[1] ?? 0) & 0x3f
  return Math.min(frames * frame, 5760)
}

/** Writes Opus packets as an Ogg stream that a pipe's reader can take page by page. */
export class OggOpusWriter {
  readonly #channels: number
  #sequence = 0
  #granule = 0n
  #begun = false

  constructor(channels: number) {
    this.#channels = channels
  }

  /** Bytes of one packet's page, the stream's header ahead of the first; nothing where the packet is no Opus. */
  packet(data: Uint8Array): Uint8Array {
    const samples = opusSamples(data)
    if (samples === 0 || data.length > maxPagePacket) return new Uint8Array(0)
    const header = this.#begun ? [] : this.#header()
    this.#begun = true
    this.#granule += BigInt(samples)
    return Buffer.concat([...header, this.#page(data, 0, this.#granule)])
  }

  #header(): Uint8Array[] {
    const head = Buffer.alloc(19)
    head.write('OpusHead', 'latin1')
    head[8] = 1
    head[9] = this.#channels
    head.writeUInt32LE(48_000, 12)
    const vendor = 'porchlight'
    const tags = Buffer.alloc(8 + 4 + vendor.length + 4)
    tags.write('OpusTags', 'latin1')
    tags.writeUInt32LE(vendor.length, 8)
    tags.write(vendor, 12, 'latin1')
    return [this.#page(head, 2, 0n), this.#page(tags, 0, 0n)]
  }

  #page(packet: Uint8Array, flags: number, granule: bigint): Uint8Array {
    const segments = Math.floor(packet.length / 255) + 1
    const page = Buffer.alloc(27 + segments + packet.length)
    page.write('OggS', 'latin1')
    page[5] = flags
    page.writeBigUInt64LE(granule, 6)
    page.writeUInt32LE(1, 14)
    page.writeUInt32LE(this.#sequence++, 18)
    page[26] = segments
    page.fill(255, 27, 27 + segments - 1)
    page[26 + segments] = packet.length % 255
    page.set(packet, 27 + segments)
    page.writeUInt32LE(crcOf(page), 22)
    return page
  }
}

/** Takes the packets out of an Ogg stream as it comes (one logical stream). Bounded: what is no Ogg is skipped. */
export class OggReader {
  readonly #onPacket: (packet: Uint8Array) => void
  #waiting: Buffer = Buffer.alloc(0)
  #partial: Uint8Array[] = []

  constructor(onPacket: (packet: Uint8Array) => void) {
    this.#onPacket = onPacket
  }

  push(chunk: Uint8Array): void {
    this.#waiting = this.#waiting.length === 0 ? Buffer.from(chunk) : Buffer.concat([this.#waiting, chunk])
    while (this.#page());
  }

  /** Takes one whole page. @returns whether another may be there */
  #page(): boolean {
    const start = this.#waiting.indexOf('OggS')
    if (start < 0) {
      // Three bytes may be the beginning of the next capture pattern.
      this.#waiting = this.#waiting.subarray(Math.max(0, this.#waiting.length - 3))
      return false
    }
    const page = this.#waiting.subarray(start)
    this.#waiting = page
    const segments = page[26]
    if (segments === undefined || page.length < 27 + segments) return false
    const lacing = page.subarray(27, 27 + segments)
    const end = lacing.reduce((sum, length) => sum + length, 27 + segments)
    if (page.length < end) return false
    this.#take(lacing, page.subarray(27 + segments, end))
    this.#waiting = page.subarray(end)
    return true
  }

  #take(lacing: Uint8Array, body: Uint8Array): void {
    let at = 0
    let from = 0
    for (const length of lacing) {
      at += length
      if (length === 255) continue
      const last = body.subarray(from, at)
      const packet = this.#partial.length === 0 ? Uint8Array.from(last) : Buffer.concat([...this.#partial, last])
      this.#partial = []
      from = at
      this.#onPacket(packet)
    }
    if (from < at) this.#partial.push(Uint8Array.from(body.subarray(from, at)))
    if (this.#partial.length > 16) this.#partial = []
  }
}
