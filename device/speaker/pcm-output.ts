/** Where decoded sound goes: 16-bit little-endian mono. */
export interface PcmOutput extends AsyncDisposable {
  /** Never throws; what cannot be played is dropped. */
  write(pcm: Uint8Array): void
  /** Idempotent. */
  close(): Promise<void>
}
