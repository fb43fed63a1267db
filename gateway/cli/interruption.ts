const signals = ['SIGINT', 'SIGTERM'] as const

/** While it lives, a signal that would end the process asks the work to end instead: what it has begun is taken back. */
export class Interruption implements Disposable {
  readonly #abort = new AbortController()
  readonly #stop = () => this.#abort.abort()

  constructor() {
    for (const signal of signals) process.once(signal, this.#stop)
  }

  get signal(): AbortSignal {
    return this.#abort.signal
  }

  [Symbol.dispose](): void {
    for (const signal of signals) process.off(signal, this.#stop)
  }
}
