import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

export interface ChildOptions {
  args?: readonly string[]
  env?: Readonly<Record<string, string>>
  cwd?: string
  /** Also pass on what it says, for looking at a failing test. */
  loud?: boolean
}

/** Registers a clean-up: vitest's `onTestFinished`, or `afterAll`. */
export type AtEnd = (cleanUp: () => Promise<void>) => void

/** A program of ours (or another), started by a test: its lines are kept, its JSON lines can be waited for. */
export class Child implements AsyncDisposable {
  readonly process: ChildProcess
  /** What it said so far, stdout and stderr, the last 2000 lines. */
  readonly lines: string[] = []
  /** Exit code, or the signal's name. */
  readonly ended: Promise<number | string>
  readonly #name: string
  readonly #seen: Record<string, unknown>[] = []
  readonly #watchers = new Set<() => void>()
  #over = false
  /** The test ends it, or lets it end. */
  #mayEnd = false

  constructor(command: string, options: ChildOptions = {}) {
    this.#name = [command, ...(options.args ?? [])].join(' ')
    this.process = spawn(command, [...(options.args ?? [])], {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    for (const stream of [this.process.stdout, this.process.stderr]) {
      createInterface({ input: stream! }).on('line', (line) => {
        if (options.loud) process.stderr.write(`${line}\n`)
        this.lines.push(line)
        if (this.lines.length > 2000) this.lines.shift()
        if (stream === this.process.stdout && line.startsWith('{')) this.#json(line)
        this.#wake()
      })
    }
    this.ended = new Promise((resolve) => {
      this.process.once('error', (error) => {
        this.lines.push(String(error))
        resolve(-1)
      })
      this.process.once('close', (code, signal) => resolve(code ?? signal ?? -1))
    })
    void this.ended.then((how) => {
      this.#over = true
      this.#wake()
      // Else a test only sees that nobody answers.
      if (how !== 0 && !this.#mayEnd) process.stderr.write(`${this.#name} ended with ${how}. It said:\n${this.#last}\n`)
    })
  }

  get pid(): number {
    if (this.process.pid === undefined) throw new Error(`${this.#name} did not start: ${this.lines.join('\n')}`)
    return this.process.pid
  }

  /** The first JSON line on stdout that fits, those said before included; rejects when the child ends without one. */
  json<Line = Record<string, unknown>>(fits: (line: Record<string, unknown>) => boolean = () => true): Promise<Line> {
    return this.#wait('the awaited JSON line', () => this.#seen.find(fits)) as Promise<Line>
  }

  /** The first line (stdout or stderr) that matches, those said before included. */
  line(pattern: RegExp): Promise<string> {
    return this.#wait(`a line like ${pattern}`, () => this.lines.find((line) => pattern.test(line)))
  }

  say(line: string): void {
    this.process.stdin?.write(`${line}\n`)
  }

  /** Ends it: SIGTERM, and SIGKILL after `graceMs`. Idempotent. */
  async stop(graceMs = 5000): Promise<number | string> {
    if (this.#over) return this.ended
    this.#mayEnd = true
    this.process.kill('SIGTERM')
    const timer = setTimeout(() => this.process.kill('SIGKILL'), graceMs)
    const result = await this.ended
    clearTimeout(timer)
    return result
  }

  /** `kill -9`, as a power cut would. */
  async kill(): Promise<void> {
    this.#mayEnd = true
    this.process.kill('SIGKILL')
    await this.ended
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  get #last(): string {
    return this.lines.slice(-40).join('\n')
  }

  #json(line: string): void {
    try {
      this.#seen.push(JSON.parse(line) as Record<string, unknown>)
      if (this.#seen.length > 2000) this.#seen.shift()
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error // a line that only begins like JSON
    }
  }

  #wake(): void {
    for (const watcher of [...this.#watchers]) watcher()
  }

  #wait<Found>(what: string, find: () => Found | undefined): Promise<Found> {
    return new Promise((resolve, reject) => {
      const check = () => {
        const found = find()
        if (found === undefined && !this.#over) return
        this.#watchers.delete(check)
        if (found !== undefined) resolve(found)
        else reject(new Error(`${this.#name} ended without ${what}. It said:\n${this.#last}`))
      }
      this.#watchers.add(check)
      check()
    })
  }
}

/** Starts a program; with `onTestFinished` (or `afterAll`) of vitest it is ended with the test. */
export function startChild(command: string, options: ChildOptions = {}, atEnd?: AtEnd): Child {
  const child = new Child(command, options)
  atEnd?.(async () => void (await child.stop()))
  return child
}

/** Starts a TypeScript file of ours by the Node that runs the test. */
export function startNode(file: string | URL, options: ChildOptions = {}, atEnd?: AtEnd): Child {
  const path = file instanceof URL ? file.pathname : file
  return startChild(process.execPath, { ...options, args: [path, ...(options.args ?? [])] }, atEnd)
}

/** Runs a program to its end and gives what it wrote. */
export async function runToEnd(
  command: string,
  args: readonly string[],
  options: Omit<ChildOptions, 'args'> = {},
): Promise<{ code: number | string; stdout: string; stderr: string }> {
  const child = spawn(command, [...args], { cwd: options.cwd, env: { ...process.env, ...options.env } })
  const out: Buffer[] = []
  const err: Buffer[] = []
  child.stdin.end()
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk))
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null]
  return { code: code ?? signal ?? -1, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString() }
}
