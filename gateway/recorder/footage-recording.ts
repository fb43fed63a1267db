import { FootageDecoder, type FootageHeader } from '@porchlight/proto/footage.ts'
import type { AccessUnit, AudioFormat, AudioFrame } from '@porchlight/proto/media/access-unit.ts'
import type { Logger } from 'pino'
import type { Intake } from './intake.ts'
import { OpusTranscoder } from './opus-transcoder.ts'

/** Parts that may be on their way to the disk before reading goes on. */
const maxPending = 4
/** Sound of one delivery, in packets: two hours of 20 ms. */
const maxAudioFrames = 360_000

export interface FootageRecordingOptions {
  intake: Intake
  ffmpeg: string | undefined
  log: Logger
  /** Whether the camera was off at a moment: what is from then is passed over, up to the next keyframe. */
  isOff(ms: number): boolean
  onUnit(unit: AccessUnit): void
}

/**
 * Records one delivery. It is read twice: once for the sound, which may have to be converted, and once for the pictures
 * with the sound beside them.
 * @param open the body from its beginning, each time
 * @returns how many pictures it held
 * @throws PorchlightError `footage_invalid`
 */
export async function recordFootage(
  open: () => AsyncIterable<Uint8Array>,
  options: FootageRecordingOptions,
): Promise<number> {
  const audio = await readAudio(open, options)
  const { intake, isOff, onUnit } = options
  let units = 0
  let passing = false
  let nextAudio = 0
  const decoder = new FootageDecoder({
    header: (header) => intake.format(header.run, audio.format(header.audio)),
    unit: (unit) => {
      units += 1
      passing = isOff(unit.captureMs) || (passing && !unit.keyframe)
      for (; audio.frames[nextAudio] && audio.frames[nextAudio]!.captureMs < unit.captureMs; nextAudio += 1)
        intake.audioFrame(audio.frames[nextAudio]!)
      if (passing) return
      intake.unit(unit)
      onUnit(unit)
    },
    audio: () => undefined,
  })
  for await (const chunk of open()) {
    decoder.push(chunk)
    if (intake.waiting || intake.pending > maxPending) await intake.settled()
  }
  decoder.end()
  for (const frame of audio.frames.slice(nextAudio)) intake.audioFrame(frame)
  return units
}

interface Sound {
  frames: AudioFrame[]
  /** The format of the frames where the camera's is `input`. */
  format(input: AudioFormat | undefined): AudioFormat | undefined
}

/** Takes the sound out, as Opus where there is an ffmpeg to make it. Also shows that the whole body can be read. */
async function readAudio(
  open: () => AsyncIterable<Uint8Array>,
  { ffmpeg, log, isOff }: FootageRecordingOptions,
): Promise<Sound> {
  const frames: AudioFrame[] = []
  const converters: OpusTranscoder[] = []
  let current: OpusTranscoder | undefined
  const take = (frame: AudioFrame) => {
    if (frames.length < maxAudioFrames && !isOff(frame.captureMs)) frames.push(frame)
  }
  const decoder = new FootageDecoder({
    header: ({ audio }: FootageHeader) => {
      if (audio && current?.takes(audio)) return
      current = undefined
      if (audio === undefined || audio.codec === 'opus' || ffmpeg === undefined) return
      current = new OpusTranscoder(ffmpeg, audio, take, log)
      converters.push(current)
    },
    unit: () => undefined,
    audio: (frame) => {
      if (current) current.push(frame)
      else take(frame)
    },
  })
  try {
    for await (const chunk of open()) {
      decoder.push(chunk)
      await current?.drained()
    }
    decoder.end()
  } finally {
    await Promise.all(converters.map((converter) => converter.end()))
  }
  const convert = ffmpeg !== undefined
  return {
    frames: frames.toSorted((a, b) => a.captureMs - b.captureMs),
    format: (input) => (input && convert && input.codec !== 'opus' ? OpusTranscoder.output(input) : input),
  }
}
