/** Reads bits, most significant first; out of an RBSP emulation prevention bytes are skipped (H.264 §7.3.1). */
export class BitReader {
  readonly #bytes: Uint8Array
  #byte: number
  #bit = 0
  #zeros = 0
  readonly #escaped: boolean

  /**
   * @param start first byte to read: of an RBSP the one after the NAL header
   * @param escaped whether emulation prevention bytes are in there
   */
  constructor(bytes: Uint8Array, start = 0, escaped = true) {
    this.#bytes = bytes
    this.#escaped = escaped
    this.#byte = start
  }

  /** True once more was asked for than there was; what was read after the end is zero bits. */
  get exhausted(): boolean {
    return this.#byte >= this.#bytes.length
  }

  bit(): number {
    const bytes = this.#bytes
    if (this.#byte >= bytes.length) return 0
    const value = (bytes[this.#byte]! >> (7 - this.#bit)) & 1
    this.#bit += 1
    if (this.#bit === 8) {
      this.#zeros = bytes[this.#byte] === 0 ? this.#zeros + 1 : 0
      this.#bit = 0
      this.#byte += 1
      if (this.#escaped && this.#zeros >= 2 && bytes[this.#byte] === 3) {
        this.#byte += 1
        this.#zeros = 0
      }
    }
    return value
  }

  /** Unsigned, up to 32 bits: u(n). */
  bits(count: number): number {
    let value = 0
    for (let index = 0; index < count; index += 1) value = value * 2 + this.bit()
    return value
  }

  skip(count: number): void {
    for (let index = 0; index < count; index += 1) this.bit()
  }

  flag(): boolean {
    return this.bit() === 1
  }

  /** Exp-Golomb: ue(v) (H.264 §9.1). Codes longer than 31 leading zeros read as 0: they do not occur in sound streams. */
  ue(): number {
    let zeros = 0
    while (zeros < 32 && this.bit() === 0) {
      if (this.exhausted) return 0
      zeros += 1
    }
    return zeros === 0 || zeros >= 32 ? 0 : 2 ** zeros - 1 + this.bits(zeros)
  }

  /** se(v) */
  se(): number {
    const code = this.ue()
    return code % 2 === 1 ? (code + 1) / 2 : -(code / 2)
  }
}
