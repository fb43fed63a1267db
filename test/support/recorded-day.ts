import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { crc32 } from 'node:zlib'
import type { AccessUnit } from '@porchlight/proto/media/access-unit.ts'
import { writeRecord } from '@porchlight/proto/media/fmp4/part-record.ts'
import { keepIdentity } from '../../gateway/recorder/claim.ts'
import { audioSpans, FileTimeline } from '../../gateway/recorder/encode-part.ts'
import { type Part, PartBuilder } from '../../gateway/recorder/part-builder.ts'
import { rebuild } from '../../gateway/recorder/rebuild.ts'
import { RecordingsDirectory } from '../../gateway/recorder/recordings-directory.ts'
import { type StreamConfig, streamConfig } from '../../gateway/recorder/stream-config.ts'
import { openStore } from '../../gateway/store/open-store.ts'
import type { Schema } from '../../gateway/store/schema.ts'
import { type Mp4Video, readMp4 } from '../sim/mp4-source.ts'
import { quietLog } from './quiet-log.ts'

const fileMs = 60_000

export interface RecordedDayOptions {
  /** Of the gateway that is to find it; nothing may run there yet. */
  dataDir: string
  cameras: readonly string[]
  /** Times that are recorded, ms since the Unix epoch, each a run of its own. */
  spans: readonly [from: number, to: number][]
  /** What they show, over and over, beginning anew with each span. Default: the simulated camera's small stream. */
  scene?: Mp4Video
  events?: readonly RecordedEvent[]
}

export interface RecordedEvent {
  id: string
  camera: string
  kind: 'ring' | 'motion'
  beginAt: number
  endAt: number
}

/** What was recorded, and what its pictures show. */
export interface RecordedDay {
  bytes: number
  parts: number
  /** Bar codes of the picture that is on screen at a moment, and of those right before and after it: clocks round. */
  barcodesAt(ms: number): number[]
}

/** The small stream of the simulated camera: 320×180, ten pictures a second, a keyframe every 2 s. */
export const smallScene = async (): Promise<Mp4Video> =>
  readMp4(await readFile(new URL('../sim/scene/sub.mp4', import.meta.url)))

/** Makes recordings of a past time with the recorder's own means, without waiting for the time to pass or for the disk. */
export async function recordDay(options: RecordedDayOptions): Promise<RecordedDay> {
  const { dataDir, cameras, spans, events = [] } = options
  const scene = options.scene ?? (await smallScene())
  const directory = join(dataDir, 'recordings')
  const written = { bytes: 0, parts: 0 }
  for (const camera of cameras) {
    for (const span of spans) await writeSpan(directory, camera, span, scene, written)
  }
  await using store = await openStore(join(dataDir, 'index.sqlite'), quietLog)
  await rebuild({ db: store.db, directory, onProgress: () => undefined })
  using own = new RecordingsDirectory(directory)
  await keepIdentity(store.db, own.adopt('recordings-of-the-test'))
  if (events.length > 0) await store.db.insertInto('events').values(events.map(eventRow)).execute()
  return { ...written, barcodesAt: (ms) => barcodesAt(scene, spans, ms) }
}

function eventRow({ id, camera, kind, beginAt, endAt }: RecordedEvent): Omit<Schema['events'], 'protected'> {
  const times = { begin_at: beginAt, end_at: endAt, record_from: beginAt - 10_000, record_to: endAt + 5_000 }
  return { id, camera, kind, ...times, still_path: null }
}

async function writeSpan(
  directory: string,
  camera: string,
  [fromMs, toMs]: RecordedDayOptions['spans'][0],
  scene: Mp4Video,
  written: { bytes: number; parts: number },
): Promise<void> {
  const parts: Part[] = []
  const builder = new PartBuilder((part) => parts.push(part))
  builder.run(`boot-${fromMs}`)
  let file: RecordingFile | undefined
  let config: StreamConfig | undefined
  for (const unit of unitsOf(scene, fromMs, toMs)) {
    config ??= streamConfig(unit, undefined)
    builder.unit(unit)
    for (const part of parts.splice(0)) file = await take(part, file)
  }
  builder.flush()
  for (const part of parts.splice(0)) file = await take(part, file)
  await file?.write()

  async function take(part: Part, open: RecordingFile | undefined): Promise<RecordingFile> {
    const full = open && part.units[0]!.keyframe && part.startMs - open.baseMs >= fileMs
    if (full) await open.write()
    const target = open && !full ? open : new RecordingFile(directory, camera, config!, part.startMs)
    written.bytes += target.add(part)
    written.parts += 1
    return target
  }
}

/** A file as the recorder writes it, but all at once. */
class RecordingFile {
  readonly baseMs: number
  readonly #path: string
  readonly #timeline: FileTimeline
  readonly #pieces: Uint8Array[]

  constructor(directory: string, camera: string, config: StreamConfig, baseMs: number) {
    const [day, time] = new Date(baseMs).toISOString().split('T') as [string, string]
    this.baseMs = baseMs
    this.#path = join(directory, camera, day, `${time.slice(0, 12).replaceAll(':', '')}-live.mp4`)
    this.#timeline = new FileTimeline(baseMs)
    this.#pieces = [config.init, writeRecord({ v: 1, type: 'file', camera, baseMs })]
  }

  /** @returns bytes of the part */
  add(part: Part): number {
    const { units, run, startMs, endMs } = part
    const content = this.#timeline.encode(part, false)
    const frames = { firstFrame: units[0]!.frame, lastFrame: units.at(-1)!.frame, keyframe: units[0]!.keyframe }
    const size = { bytes: content.byteLength, crc: crc32(content) }
    const times = { startMs, endMs, audio: audioSpans(part.audio), generation: 0 }
    this.#pieces.push(content, writeRecord({ v: 1, type: 'part', run, ...frames, ...times, ...size }))
    return content.byteLength
  }

  async write(): Promise<void> {
    await mkdir(dirname(this.#path), { recursive: true })
    await writeFile(this.#path, Buffer.concat(this.#pieces))
  }
}

function* unitsOf({ samples, seconds, codec }: Mp4Video, fromMs: number, toMs: number): Generator<AccessUnit> {
  for (let frame = 0; ; frame += 1) {
    const { nals, keyframe, presentSeconds } = samples[frame % samples.length]!
    const captureMs = fromMs + (Math.floor(frame / samples.length) * seconds + presentSeconds) * 1_000
    if (captureMs >= toMs) return
    yield { codec, frame, captureMs, keyframe, reference: true, data: nals }
  }
}

function barcodesAt({ samples, seconds }: Mp4Video, spans: RecordedDayOptions['spans'], ms: number): number[] {
  const span = spans.find(([from, to]) => from <= ms && ms < to)
  if (span === undefined) return []
  const inScene = ((ms - span[0]) / 1_000) % seconds
  const shown = samples.findLastIndex(({ presentSeconds }) => presentSeconds <= inScene + 1e-6)
  // the bar code counts at 25 a second in the small stream, too
  return [-1, 0, 1].map((step) => Math.floor(samples.at((shown + step) % samples.length)!.presentSeconds * 25 + 1e-6))
}
