import type { ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { backoff } from '@porchlight/proto/backoff.ts'
import { asPorchlightError, PorchlightError } from '@porchlight/proto/errors.ts'

/** Until a program says that it is ready, ms. */
const startMs = 60_000
/** For a program to end by itself when asked to, ms. */
const stopMs = 8_000
/** A program that ends so often in a row, each time within `steadyMs` of its start, is not started again. */
const maxFalls = 5
const steadyMs = 10_000

export interface Console {
  verbose: boolean
  say(text: string): void
}

/** One of the three programs: says when it is ready, is started again with back-off when it ends by itself. */
export class Program {
  readonly #name: string
  readonly #spawn: () => ChildProcess
  readonly #console: Console
  readonly #given: (error: PorchlightError) => void
  /** The last lines of its log, for when it ends. */
  #lines: string[] = []
  #child: ChildProcess | undefined
  #falls = 0
  #stopping = false

  constructor(name: string, start: () => ChildProcess, out: Console, givenUp: (error: PorchlightError) => void) {
    this.#name = name
    this.#spawn = start
    this.#console = out
    this.#given = givenUp
  }

  /** @returns its ready line. @throws PorchlightError `program_failed` */
  start(): Promise<Record<string, unknown>> {
    const child = this.#spawn()
    const startedAt = Date.now()
    this.#child = child
    this.#lines = []
    const ready = Promise.withResolvers<Record<string, unknown>>()
    const failed = (why: string) =>
      ready.reject(new PorchlightError('program_failed', `${this.#name} ${why}\n${this.#lines.join('\n')}`))
    const late = setTimeout(() => failed(`was not ready within ${startMs / 1_000} s`), startMs)
    let isReady = false
    createInterface({ input: child.stdout! }).on('line', (line) => {
      if (isReady || !line.startsWith('{')) return
      isReady = true
      clearTimeout(late)
      ready.resolve(JSON.parse(line) as Record<string, unknown>)
    })
    createInterface({ input: child.stderr! }).on('line', (line) => {
      this.#lines = [...this.#lines.slice(-11), line]
      if (this.#console.verbose) this.#console.say(`${this.#name}: ${line}`)
    })
    child.once('close', (code, signal) => {
      clearTimeout(late)
      this.#child = undefined
      if (!isReady) failed(`ended at its start (${signal ?? code})`)
      else if (!this.#stopping) this.#fell(signal ?? String(code), Date.now() - startedAt)
    })
    child.once('error', (error) => failed(error.message))
    return ready.promise
  }

  async stop(): Promise<void> {
    this.#stopping = true
    const child = this.#child
    if (!child) return
    const closed = new Promise<void>((done) => child.once('close', () => done()))
    child.kill('SIGTERM')
    const timer = setTimeout(() => child.kill('SIGKILL'), stopMs)
    await closed
    clearTimeout(timer)
  }

  #fell(how: string, lived: number): void {
    this.#falls = lived >= steadyMs ? 1 : this.#falls + 1
    const last = this.#lines.map((line) => `\n    ${line}`).join('')
    this.#console.say(`The ${this.#name} has ended (${how}). Its last words:${last || ' none'}`)
    if (this.#falls >= maxFalls) {
      this.#given(new PorchlightError('program_failed', `${this.#name}: ${this.#falls} times in a row`))
      return
    }
    const wait = Math.round(backoff(this.#falls, Math.random, 500, 15_000))
    this.#console.say(`Starting it again in ${(wait / 1_000).toFixed(1)} s.`)
    setTimeout(() => {
      if (this.#stopping) return
      this.start().then(
        () => this.#console.say(`The ${this.#name} runs again.`),
        (error: unknown) => this.#given(asPorchlightError(error, 'program_failed')),
      )
    }, wait)
  }
}
