import type { Logger } from 'pino'
import type { TalkSink } from '../camera/camera-source.ts'
import { AlsaPlayer } from './alsa-player.ts'
import { G711Player, OpusPlayer } from './talk-player.ts'
import { WavFile } from './wav-file.ts'

/** The part of a camera's configuration that says where talk goes. */
export interface SpeakerChoice {
  readonly type: 'none' | 'alsa' | 'wav' | 'backchannel' | 'auto'
  /** ALSA device. */
  readonly device?: string | undefined
  /** Of the WAV file. */
  readonly path?: string | undefined
}

export interface SpeakerDeps {
  /** The camera's backchannel as it is now; it may come and go with the camera. */
  cameraTalk: () => TalkSink | undefined
  /** Where ffmpeg is; without it a loudspeaker takes G.711 in place of Opus. */
  ffmpeg: { path: string } | undefined
  log: Logger
}

/** Where talk is heard at one camera. */
export interface Speaker extends AsyncDisposable {
  /** Undefined where nobody can talk (now). */
  readonly sink: TalkSink | undefined
  /** Idempotent. */
  close(): Promise<void>
}

/** Opens what the configuration names; `auto` is the camera's own backchannel where it has one. */
export function openSpeaker(choice: SpeakerChoice, deps: SpeakerDeps): Speaker {
  switch (choice.type) {
    case 'none':
      return speaker(() => undefined)
    case 'auto':
    case 'backchannel':
      return speaker(deps.cameraTalk)
    case 'wav': {
      // G.711: heard without ffmpeg.
      const player = new G711Player('pcmu', new WavFile(choice.path ?? 'talk.wav', 8_000, deps.log))
      return speaker(() => player, player)
    }
    case 'alsa': {
      const { ffmpeg, log } = deps
      const card = (rate: number) => new AlsaPlayer({ device: choice.device ?? 'default', rate, log })
      const player = ffmpeg
        ? new OpusPlayer({ ffmpeg, log, output: card(48_000) })
        : new G711Player('pcmu', card(8_000))
      return speaker(() => player, player)
    }
  }
}

function speaker(sink: () => TalkSink | undefined, owned?: AsyncDisposable): Speaker {
  let closing: Promise<void> | undefined
  const close = () => {
    closing ??= Promise.resolve(owned?.[Symbol.asyncDispose]())
    return closing
  }
  return {
    get sink() {
      return closing === undefined ? sink() : undefined
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}
