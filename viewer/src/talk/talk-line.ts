import { asPorchlightError, type PorchlightError } from '@porchlight/proto/errors.ts'

export type TalkState = 'idle' | 'opening' | 'talking' | 'refused'

export interface TalkStatus {
  state: TalkState
  /** Why nobody hears us, where `state` is `refused`. */
  error?: PorchlightError
}

export interface TalkDeps<Track> {
  takeFloor(): Promise<{ leaseMs: number }>
  releaseFloor(): Promise<void>
  openMicrophone(): Promise<Track>
  /** Puts the microphone on the line (`replaceTrack`), or takes it off. */
  send(track: Track | null): Promise<void>
  /** The button was let go: the microphone may rest. */
  restMicrophone(): void
  onStatus(status: TalkStatus): void
  timer(run: () => void, ms: number): () => void
}

/**
 * Press and hold to talk: takes the floor of the camera and the microphone at once, sends when both are there, renews the
 * lease three times as often as it needs, and lets go of everything when the finger does.
 */
export class TalkLine<Track> implements Disposable {
  readonly #deps: TalkDeps<Track>
  #press = 0
  #held = false
  #stopRenewal: (() => void) | undefined

  constructor(deps: TalkDeps<Track>) {
    this.#deps = deps
  }

  press(): void {
    if (this.#held) return
    this.#held = true
    this.#press += 1
    this.#deps.onStatus({ state: 'opening' })
    this.#open(this.#press).catch((error: unknown) => this.#refuse(this.#press, error))
  }

  release(): void {
    if (!this.#held) return
    this.#let()
    this.#deps.onStatus({ state: 'idle' })
  }

  [Symbol.dispose](): void {
    this.release()
  }

  async #open(press: number): Promise<void> {
    const [lease, track] = await Promise.allSettled([this.#deps.takeFloor(), this.#deps.openMicrophone()])
    if (!this.#holds(press)) {
      // Let go while it was opening: the release before may have overtaken the taking.
      if (lease.status === 'fulfilled' && !this.#held) await this.#deps.releaseFloor()
      return
    }
    if (lease.status === 'rejected') throw lease.reason
    if (track.status === 'rejected') throw track.reason
    await this.#deps.send(track.value)
    if (!this.#holds(press)) {
      if (!this.#held) await this.#deps.send(null)
      return
    }
    this.#deps.onStatus({ state: 'talking' })
    this.#renewIn(press, lease.value.leaseMs / 3)
  }

  #renewIn(press: number, ms: number): void {
    this.#stopRenewal = this.#deps.timer(() => {
      this.#deps.takeFloor().then(
        (lease) => {
          if (this.#holds(press)) this.#renewIn(press, lease.leaseMs / 3)
        },
        (error: unknown) => this.#refuse(press, error),
      )
    }, ms)
  }

  #refuse(press: number, thrown: unknown): void {
    if (!this.#holds(press)) return
    this.#let()
    this.#deps.onStatus({ state: 'refused', error: asPorchlightError(thrown, 'microphone_failed') })
  }

  #let(): void {
    this.#held = false
    this.#stopRenewal?.()
    this.#stopRenewal = undefined
    this.#deps.restMicrophone()
    Promise.all([this.#deps.send(null), this.#deps.releaseFloor()]).catch((error: unknown) => {
      // The lease runs out by itself where the gateway did not hear it.
      console.info('The talk floor was not given back:', error)
    })
  }

  #holds(press: number): boolean {
    return this.#held && this.#press === press
  }
}
