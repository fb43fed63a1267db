import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pino } from 'pino'
import { expect, test } from 'vitest'
import type { TalkSink } from '../../../../device/camera/camera-source.ts'
import { openSpeaker } from '../../../../device/speaker/open-speaker.ts'
import { encodeMuLaw } from '../../../support/g711.ts'
import { tempDir } from '../../../support/temp-dir.ts'
import { dominantTone, sine } from '../../../support/tone.ts'
import { fromWav } from '../../../support/wav.ts'

const log = pino({ level: 'silent' })
const none = { cameraTalk: () => undefined, ffmpeg: undefined, log }

test('talk into a WAV file keeps its tone and its time, holes included', async () => {
  const path = join(await tempDir(), 'talk.wav')
  const speaker = openSpeaker({ type: 'wav', path }, none)
  const samples = sine(440, 8_000, 8_000)
  for (let at = 0; at + 160 <= samples.length; at += 160) {
    if (at === 1_600) continue // one packet lost
    const coded = Uint8Array.from(samples.subarray(at, at + 160), encodeMuLaw)
    speaker.sink!.send(coded, (0xffffff00 + at) >>> 0)
  }
  await speaker.close()
  await speaker.close()
  expect(speaker.sink).toBeUndefined()
  const wav = fromWav(await readFile(path))
  expect(wav.sampleRate).toBe(8_000)
  expect(wav.samples).toHaveLength(8_000)
  expect([...wav.samples.subarray(1_600, 1_760)]).toEqual(new Array(160).fill(0))
  expect(dominantTone(wav.samples, 8_000)?.frequency).toBeCloseTo(440, -1)
})

test('a WAV file that cannot be written drops what is said and does not throw', async () => {
  const speaker = openSpeaker({ type: 'wav', path: '/nowhere/talk.wav' }, none)
  speaker.sink!.send(new Uint8Array(160), 0)
  await speaker.close()
})

test('auto is the camera, as it is at the moment; none is nobody', async () => {
  const camera: TalkSink = { codec: 'pcma', clockRate: 8_000, send: () => undefined }
  let now: TalkSink | undefined
  const speaker = openSpeaker({ type: 'auto' }, { ...none, cameraTalk: () => now })
  expect(speaker.sink).toBeUndefined()
  now = camera
  expect(speaker.sink).toBe(camera)
  expect(openSpeaker({ type: 'none' }, { ...none, cameraTalk: () => camera }).sink).toBeUndefined()
  await speaker.close()
})
