import { execFile, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { PorchlightError } from '@porchlight/proto/errors.ts'
import type { Logger } from 'pino'
import type { ButtonConfig } from '../config.ts'
import { Backoff } from '../link/backoff.ts'
import { wait } from '../link/wait.ts'

/** gpiomon that lived so long begins its back-off anew, ms. */
const lastedMs = 30_000

/**
 * Arguments of gpiomon; the tools of libgpiod 1 and 2 have the same name and another syntax. Both turn the sense of the edges
 * round for an active-low line, so a press is `rising` always; both edges are asked for, as a release may bounce.
 */
export function gpiomonArguments(button: ButtonConfig, majorVersion: number): string[] {
  const bias = button.activeLow ? 'pull-up' : 'pull-down'
  const sense = button.activeLow ? ['--active-low'] : []
  if (majorVersion >= 2) {
    const debounce = button.debounceMs > 0 ? ['--debounce-period', `${button.debounceMs}ms`] : []
    const chip = ['--chip', button.chip]
    return ['--edges', 'both', '--bias', bias, ...sense, ...debounce, '--format', '%E', ...chip, `${button.line}`]
  }
  return ['--line-buffered', `--bias=${bias}`, ...sense, '--format=%e', button.chip, `${button.line}`]
}

/** Major version out of `gpiomon --version`: `gpiomon (libgpiod) v1.6.3`. */
export function gpiodMajorVersion(text: string): number | undefined {
  const match = /v?(\d+)\.\d+/.exec(text)
  return match ? Number(match[1]) : undefined
}

/** A line that gpiomon wrote: v1 `%e` gives 1 for rising and 0 for falling, v2 `%E` gives the words. */
export function parseEdge(line: string): 'rising' | 'falling' | undefined {
  const word = line.trim()
  if (word === '1' || word === 'rising') return 'rising'
  if (word === '0' || word === 'falling') return 'falling'
  return undefined
}

/** Whether an edge is a new press: rising, and no other edge within `debounceMs` before it. */
export class Debounce {
  readonly #ms: number
  #last = Number.NEGATIVE_INFINITY

  constructor(ms: number) {
    this.#ms = ms
  }

  isPress(edge: 'rising' | 'falling', at: number): boolean {
    const quiet = at - this.#last >= this.#ms
    this.#last = at
    return edge === 'rising' && quiet
  }
}

export interface GpioButtonOptions {
  button: ButtonConfig
  /** Path of gpiomon; default: from PATH. */
  gpiomon?: string
  now: () => number
  random: () => number
  log: Logger
  pressed(at: number): void
  /** `gpio_failed` where the line cannot be watched; undefined when it is again. Said at changes. */
  state(code: 'gpio_failed' | undefined): void
}

/** A push button on a GPIO line, watched by a supervised gpiomon. */
export class GpioButton implements AsyncDisposable {
  readonly #options: GpioButtonOptions
  readonly #abort = new AbortController()
  readonly #running: Promise<void>
  #failed = false

  constructor(options: GpioButtonOptions) {
    this.#options = options
    this.#running = this.#run()
  }

  /** Idempotent. */
  async close(): Promise<void> {
    this.#abort.abort()
    await this.#running
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #run(): Promise<void> {
    const { now, random, log } = this.#options
    const backoff = new Backoff(60_000, random)
    const { signal } = this.#abort
    while (!signal.aborted) {
      const began = now()
      const error = await this.#watch(signal)
      if (signal.aborted) return
      if (!this.#failed) log.warn({ code: error.code, detail: error.detail }, 'the button is not watched')
      this.#fail(true)
      if (now() - began > lastedMs) backoff.reset()
      await wait(backoff.next(), signal)
    }
  }

  /** One life of gpiomon; the reason of its end. */
  async #watch(signal: AbortSignal): Promise<PorchlightError> {
    const { button, now, pressed, gpiomon = 'gpiomon' } = this.#options
    try {
      const { stdout } = await promisify(execFile)(gpiomon, ['--version'], { signal, timeout: 5_000 })
      const major = gpiodMajorVersion(stdout)
      if (major === undefined) return new PorchlightError('gpio_failed', 'unknown version of gpiomon')
      const child = spawn(gpiomon, gpiomonArguments(button, major), { stdio: ['ignore', 'pipe', 'pipe'], signal })
      const ended = Promise.withResolvers<string>()
      let complaint = ''
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        complaint = (complaint + text).slice(-200)
      })
      child.once('error', (error) => ended.resolve(error.message))
      child.once('close', (code) => ended.resolve(complaint.trim() || `gpiomon ended with ${code}`))
      const debounce = new Debounce(button.debounceMs)
      createInterface({ input: child.stdout }).on('line', (line) => {
        const edge = parseEdge(line)
        if (edge === undefined) return
        this.#fail(false)
        if (debounce.isPress(edge, now())) pressed(now())
      })
      // gpiomon says nothing when it has the line; one that lives for a second has it.
      const settled = setTimeout(() => this.#fail(false), 1_000)
      const reason = await ended.promise
      clearTimeout(settled)
      return new PorchlightError('gpio_failed', reason)
    } catch (cause) {
      const missing = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT'
      return new PorchlightError('gpio_failed', missing ? 'gpiomon is missing: apt install gpiod' : undefined, {
        cause,
      })
    }
  }

  #fail(failed: boolean): void {
    if (failed === this.#failed) return
    this.#failed = failed
    this.#options.state(failed ? 'gpio_failed' : undefined)
  }
}
