import { crc32, deflateSync } from 'node:zlib'

/** A square PNG (W3C PNG §5) of 8-bit RGBA pixels. */
export function writePng(pixels: number, rgba: Uint8Array): Buffer {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(pixels, 0)
  header.writeUInt32BE(pixels, 4)
  // 8 bits, true colour with alpha, deflate, no filter but per row, not interlaced.
  header.set([8, 6, 0, 0, 0], 8)
  const rows = Buffer.alloc(pixels * (pixels * 4 + 1))
  for (let y = 0; y < pixels; y++)
    rows.set(rgba.subarray(y * pixels * 4, (y + 1) * pixels * 4), y * (pixels * 4 + 1) + 1)
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
  const data = deflateSync(rows, { level: 9 })
  return Buffer.concat([signature, chunk('IHDR', header), chunk('IDAT', data), chunk('IEND', Buffer.alloc(0))])
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const framed = Buffer.alloc(body.length + 8)
  framed.writeUInt32BE(data.length, 0)
  framed.set(body, 4)
  framed.writeUInt32BE(crc32(body), body.length + 4)
  return framed
}
