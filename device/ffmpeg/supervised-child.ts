import { type ChildProcess, spawn } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'
import { backoff } from '@porchlight/proto/backoff.ts'
import { type ErrorCode, PorchlightError } from '@porchlight/proto/errors.ts'
import type { Logger } from 'pino'

/** Defaults and bounds; times in ms, sizes in bytes. */
export const childDefaults = {
  /** A child that lived this long starts the back-off anew when it ends. */
  healthyMs: 30_000,
  /** Input that waits for the child; what comes beyond is refused. */
  maxQueuedBytes: 4 * 1024 * 1024,
  /** From the polite signal to SIGKILL. */
  killMs: 1_500,
  keptErrorLines: 5,
}

export interface ChildOptions {
  command: string
  args: readonly string[]
  log: Logger
  /** Error code of a child that ended by itself. */
  code?: ErrorCode
  /** Called with every piece of standard output. */
  onData?: (chunk: Buffer) => void
  /** Called with every piece of file descriptor 3; the pipe is made only where this is given. */
  onSideData?: (chunk: Buffer) => void
  /** A new process runs: its input begins afresh. */
  onStart?: () => void
  /** A process ended by itself; another one follows after the back-off. */
  onFailure?: (error: PorchlightError) => void
  /** [0, 1), for the jitter. */
  random?: () => number
  maxQueuedBytes?: number
}

/**
 * A child process that is kept running until `close()`: restarted after exponential back-off with full jitter, its
 * input bounded, its standard error only logged (its last lines stand in the error), never read to know a state.
 */
export class SupervisedChild implements AsyncDisposable {
  readonly #options: ChildOptions
  readonly #random: () => number
  #child: ChildProcess | undefined
  #gone: Promise<void> = Promise.resolve()
  #timer: NodeJS.Timeout | undefined
  #attempt = 0
  #closed = false
  #spawned = false
  #wanted = false
  #refused = 0

  constructor(options: ChildOptions) {
    this.#options = options
    this.#random = options.random ?? Math.random
    this.#start()
  }

  /** Pid of the running process. */
  get pid(): number | undefined {
    return this.#child?.pid
  }

  /** Whether a process takes input. */
  get running(): boolean {
    return this.#spawned && this.#child?.stdin?.writable === true
  }

  /** Pieces of input refused so far, because no process ran or its queue was full. */
  get refused(): number {
    return this.#refused
  }

  /** Hands input to the process. False where none runs or its queue is full: the piece is then dropped whole. */
  write(chunk: Uint8Array): boolean {
    // Nothing ahead of `onStart`: what it writes comes first.
    const input = this.#spawned ? this.#child?.stdin : undefined
    const limit = this.#options.maxQueuedBytes ?? childDefaults.maxQueuedBytes
    if (!input?.writable || input.writableLength + chunk.byteLength > limit) {
      this.#refused++
      return false
    }
    input.write(chunk)
    return true
  }

  /** Ends the running process for a fresh one at once (its input makes no sense any more). */
  restart(): void {
    if (this.#closed || this.#child === undefined) return
    this.#wanted = true
    void this.#end(this.#child)
  }

  /** Ends the process (SIGTERM, then SIGKILL) and waits until it is gone. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    if (this.#child !== undefined) await this.#end(this.#child)
    await this.#gone
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #start(): void {
    const { command, args, onData, onSideData } = this.#options
    const startedAt = performance.now()
    const child = spawn(command, args, { stdio: onSideData ? ['pipe', 'pipe', 'pipe', 'pipe'] : 'pipe' })
    const lastLines: string[] = []
    this.#child = child
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#gone = promise
    let ended = false
    const end = (reason: string, cause?: Error) => {
      if (ended) return
      ended = true
      resolve()
      this.#child = undefined
      this.#spawned = false
      if (this.#closed) return
      if (this.#wanted) {
        this.#wanted = false
        this.#attempt = 0
        this.#start()
      } else this.#again(reason, lastLines, performance.now() - startedAt, cause)
    }
    child.once('error', (error) => end(error.message, error))
    child.once('close', (code, signal) => end(signal === null ? `exit ${code}` : `signal ${signal}`))
    this.#guard(child.stdin, 'stdin')
    this.#guard(child.stdout, 'stdout')?.on('data', (chunk: Buffer) => onData?.(chunk))
    this.#guard(child.stderr, 'stderr')?.on('data', (chunk: Buffer) => this.#note(chunk, lastLines))
    const side = onSideData === undefined ? undefined : child.stdio[3]
    if (side) this.#guard(side as Readable, 'fd 3')?.on('data', (chunk: Buffer) => onSideData?.(chunk))
    child.once('spawn', () => {
      this.#spawned = true
      this.#options.log.debug({ command, pid: child.pid }, 'child runs')
      this.#options.onStart?.()
    })
  }

  /** A broken pipe is told by the child's end: here it only must not throw. */
  #guard<S extends Readable | Writable>(stream: S | null, name: string): S | undefined {
    stream?.on('error', (error) => this.#options.log.debug({ err: error, stream: name }, 'pipe of a child broke'))
    return stream ?? undefined
  }

  #note(chunk: Buffer, lastLines: string[]): void {
    for (const line of chunk.toString('utf8').split(/[\r\n]+/)) {
      if (line.trim() === '') continue
      lastLines.push(line.slice(0, 300))
      if (lastLines.length > childDefaults.keptErrorLines) lastLines.shift()
      this.#options.log.debug({ command: this.#options.command, line: line.slice(0, 300) }, 'child says')
    }
  }

  #again(reason: string, lastLines: readonly string[], livedMs: number, cause: Error | undefined): void {
    const { command, log, onFailure } = this.#options
    if (livedMs >= childDefaults.healthyMs) this.#attempt = 0
    const delayMs = backoff(this.#attempt++, this.#random)
    const detail = [reason, ...lastLines].join(' · ')
    const error = new PorchlightError(this.#options.code ?? 'ffmpeg_failed', detail, { cause })
    log.warn({ command, err: error, delayMs: Math.round(delayMs) }, 'child ended, starts again')
    this.#timer = setTimeout(() => this.#start(), delayMs)
    onFailure?.(error)
  }

  async #end(child: ChildProcess): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return
    const { promise, resolve } = Promise.withResolvers<void>()
    child.once('close', () => resolve())
    child.stdin?.destroy()
    child.kill('SIGTERM')
    const timer = setTimeout(() => child.kill('SIGKILL'), childDefaults.killMs)
    await promise
    clearTimeout(timer)
  }
}
