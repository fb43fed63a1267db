/** Samples at 48 kHz of one Opus packet, by its TOC byte (RFC 6716 §3.1); 0 where the packet is empty or broken. */
export function opusSamples(packet: Uint8Array): number {
  const toc = packet[0]
  if (toc === undefined) return 0
  const configuration = toc >> 3
  let frame: number
  if (configuration < 12) frame = [480, 960, 1920, 2880][configuration & 3]!
  else if (configuration < 16) frame = configuration & 1 ? 960 : 480
  else frame = 120 << (configuration & 3)
  const code = toc & 3
  const count = code === 0 ? 1 : code === 3 ? (packet[1] ?? 0) & 0x3f : 2
  const samples = frame * count
  return samples > 5760 ? 0 : samples // 120 ms is the most (§3.4 R5)
}
