const barWidth = 30

/** What a terminal is to us: `process.stderr`. */
export interface Terminal {
  isTTY?: boolean
  write(text: string): unknown
}

/** A bar in the last line of a terminal; where there is no terminal, nothing. */
export class ProgressBar implements Disposable {
  readonly #terminal: Terminal
  readonly #label: string
  #shown: number | undefined

  constructor(terminal: Terminal, label: string) {
    this.#terminal = terminal
    this.#label = label
  }

  /** Draws again where a whole percent has changed. */
  at(done: number, total: number): void {
    if (this.#terminal.isTTY !== true) return
    const percent = total === 0 ? 100 : Math.floor((done * 100) / total)
    if (percent === this.#shown) return
    this.#shown = percent
    const full = Math.round((percent * barWidth) / 100)
    const bar = `${'#'.repeat(full)}${'-'.repeat(barWidth - full)}`
    this.#terminal.write(`\r${this.#label} [${bar}] ${String(percent).padStart(3)} %`)
  }

  /** Makes room for lines of text, and for the end. */
  clear(): void {
    if (this.#shown !== undefined) this.#terminal.write('\r\u001b[K')
    this.#shown = undefined
  }

  [Symbol.dispose](): void {
    this.clear()
  }
}
