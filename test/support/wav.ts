/** WAV files of 16-bit mono PCM. */

export function toWav(samples: Int16Array, sampleRate: number): Buffer {
  const header = Buffer.alloc(44)
  const bytes = samples.length * 2
  header.write('RIFF', 0, 'latin1')
  header.writeUInt32LE(36 + bytes, 4)
  header.write('WAVEfmt ', 8, 'latin1')
  header.writeUInt32LE(16, 16)
  header.writeUInt16LE(1, 20) // PCM
  header.writeUInt16LE(1, 22) // mono
  header.writeUInt32LE(sampleRate, 24)
  header.writeUInt32LE(sampleRate * 2, 28)
  header.writeUInt16LE(2, 32)
  header.writeUInt16LE(16, 34)
  header.write('data', 36, 'latin1')
  header.writeUInt32LE(bytes, 40)
  return Buffer.concat([header, Buffer.from(samples.buffer, samples.byteOffset, bytes)])
}

/**
 * Reads 16-bit PCM; of several channels the first. A file that is still being written (sizes 0 or 0xFFFFFFFF, as ffmpeg
 * leaves them in a pipe) is read up to what is there.
 */
export function fromWav(wav: Uint8Array): { samples: Int16Array; sampleRate: number } {
  const view = new DataView(wav.buffer, wav.byteOffset, wav.byteLength)
  const tag = (at: number) => Buffer.from(wav.subarray(at, at + 4)).toString('latin1')
  if (wav.length < 12 || tag(0) !== 'RIFF' || tag(8) !== 'WAVE') throw new Error('This is no WAV file')
  let channels = 1
  let sampleRate = 0
  for (let at = 12; at + 8 <= wav.length; ) {
    const size = view.getUint32(at + 4, true)
    if (tag(at) === 'fmt ') {
      channels = view.getUint16(at + 10, true)
      sampleRate = view.getUint32(at + 12, true)
      if (view.getUint16(at + 22, true) !== 16) throw new Error('Only 16-bit WAV files are read')
    } else if (tag(at) === 'data') {
      const rest = wav.length - at - 8
      const bytes = size === 0 || size > rest ? rest : size
      const samples = new Int16Array(Math.floor(bytes / 2 / channels))
      for (let index = 0; index < samples.length; index += 1) {
        samples[index] = view.getInt16(at + 8 + index * channels * 2, true)
      }
      return { samples, sampleRate }
    }
    at += 8 + size + (size % 2)
  }
  throw new Error('This WAV file has no samples')
}
