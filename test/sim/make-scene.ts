/**
 * Makes the scene that the simulated camera shows: `node test/sim/make-scene.ts`, needs ffmpeg with libx264 (once; the
 * results are kept in the repository). Written beside it: `main.mp4` (1280×720, 25 fps, keyframe every 4 s), `sub.mp4`
 * (320×180, 10 fps, keyframe every 2 s), `labels.json` (when somebody is in the picture). H.264 Constrained Baseline.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import type { Writable } from 'node:stream'
import { barcodeBits, barcodeBlocks } from '../support/barcode.ts'
import { box, Canvas } from './draw/canvas.ts'
import { clockText, paintClock } from './draw/clock.ts'
import { paintPorch, sceneHeight, sceneWidth, stripHeight } from './draw/porch.ts'
import { paintStory, sceneFps, sceneSeconds } from './draw/story.ts'
import { x264Options } from './encode.ts'

const folder = new URL('scene/', import.meta.url)
const subFps = 10

function encoder(fps: number, gop: number, crf: number, filters: string, name: string) {
  const child: ChildProcessByStdio<Writable, null, null> = spawn(
    process.env.FFMPEG_PATH ?? 'ffmpeg',
    [
      ...['-v', 'error', '-y', '-f', 'rawvideo', '-pix_fmt', 'rgb24', '-s', `${sceneWidth}x${sceneHeight}`],
      ...['-r', String(fps), '-i', '-', '-vf', filters, '-crf', String(crf), ...x264Options(gop)],
      ...['-preset', 'veryslow', '-threads', '1', '-movflags', '+faststart', new URL(name, folder).pathname],
    ],
    { stdio: ['pipe', 'inherit', 'inherit'] },
  )
  return {
    async frame(pixels: Uint8ClampedArray) {
      if (!child.stdin.write(Buffer.from(pixels))) await once(child.stdin, 'drain')
    },
    async end() {
      child.stdin.end()
      const [code] = await once(child, 'exit')
      if (code !== 0) throw new Error(`ffmpeg ended with ${code} while making ${name}`)
    },
  }
}

function paintBarcode(canvas: Canvas, frame: number): void {
  const width = sceneWidth / barcodeBlocks
  for (const [index, white] of barcodeBits(frame).entries()) {
    const shape = box(index * width, sceneHeight - stripHeight, width, stripHeight)
    canvas.fill(shape, white ? [255, 255, 255] : [0, 0, 0])
  }
}

const porch = paintPorch()
const canvas = new Canvas(sceneWidth, sceneHeight)
const main = encoder(sceneFps, 100, 25, 'format=yuv420p', 'main.mp4')
const sub = encoder(subFps, 20, 27, 'scale=320:180:flags=area,format=yuv420p', 'sub.mp4')
const frames = sceneSeconds * sceneFps
const present: [number, number][] = []
let nextSub = 0
for (let frame = 0; frame < frames; frame += 1) {
  canvas.copyFrom(porch)
  if (paintStory(canvas, frame / sceneFps)) {
    const last = present.at(-1)
    if (last?.[1] === frame / sceneFps) last[1] = (frame + 1) / sceneFps
    else present.push([frame / sceneFps, (frame + 1) / sceneFps])
  }
  paintClock(canvas, 1044, 62, clockText((frame * 1000) / sceneFps))
  paintBarcode(canvas, frame)
  await main.frame(canvas.pixels)
  // The sub stream shows the main stream's picture of the same moment, or the one before it.
  if (frame === Math.floor((nextSub * sceneFps) / subFps)) {
    nextSub += 1
    await sub.frame(canvas.pixels)
  }
}
await Promise.all([main.end(), sub.end()])
const labels = { duration_s: sceneSeconds, fps: sceneFps, frames, present_s: present }
await writeFile(new URL('labels.json', folder), `${JSON.stringify(labels)}\n`)
