/** Frame length by configuration number, in samples at 48 kHz (RFC 6716 §3.1, table 2). */
function frameSamples(config: number): number {
  if (config < 12) return [480, 960, 1920, 2880][config & 3]!
  if (config < 16) return [480, 960][config & 1]!
  return [120, 240, 480, 960][config & 3]!
}

/** Length of an Opus packet in samples at 48 kHz; 0 where it is empty. */
export function opusSamples(packet: Uint8Array): number {
  const toc = packet[0]
  if (toc === undefined) return 0
  const code = toc & 3
  const frames = code === 0 ? 1 : code === 3 ? (packet[1] ?? 0) & 0x3f : 2
  return frames * frameSamples(toc >> 3)
}
