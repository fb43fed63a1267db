import { createSocket } from 'node:dgram'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { joinAnnexB } from '@porchlight/proto/media/h264.ts'
import { describe, expect, it, onTestFinished } from 'vitest'
import { FrameNumbering } from '../../../../device/camera/frame-numbering.ts'
import { createSource } from '../../../../device/camera/open-source.ts'
import { cameraSourceConfig } from '../../../../device/config.ts'
import { CameraCollector } from '../../../support/camera-collector.ts'
import { freeUdpPort } from '../../../support/ports.ts'
import { quietLog } from '../../../support/quiet-log.ts'
import { idr, keyframe, packet, pps, sdpOf, slice, sps, videoLines } from '../../../support/scripted-camera.ts'

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'camera-'))
  onTestFinished(() => rm(path, { recursive: true }))
  return path
}

function take(config: Record<string, unknown>, stallMs?: number) {
  const collector = new CameraCollector()
  const deps = stallMs === undefined ? { log: quietLog } : { log: quietLog, stallMs }
  const source = createSource(cameraSourceConfig.parse(config), deps)(collector, new FrameNumbering())
  onTestFinished(() => source.close())
  return { collector, source, open: () => source.open(AbortSignal.timeout(30_000)) }
}

describe('a command that writes Annex B', () => {
  it('gives its pictures at once, each with the time it came', async () => {
    const path = join(await folder(), 'stream.h264')
    await writeFile(path, joinAnnexB([sps, pps, idr, slice, slice]))
    const { collector, source, open } = take({ command: ['sh', '-c', 'cat "$0"; exec cat', path] })
    const before = Date.now()
    await open()
    // the last picture comes although no start code follows
    await collector.when(() => collector.units.length === 3)
    expect(collector.units.map((unit) => unit.keyframe)).toEqual([true, false, false])
    expect(collector.units[0]!.captureMs).toBeGreaterThanOrEqual(before)
    expect(collector.formats[0]!.video).toEqual({ codec: 'h264', width: 320, height: 240 })
    // its standard input is closed, so `cat` ends and with it the stream
    expect((await source.ended)?.code).toBe('camera_unreachable')
  })

  it('loses no picture where it ends at once', async () => {
    const path = join(await folder(), 'stream.h264')
    await writeFile(path, joinAnnexB([sps, pps, idr, slice, slice]))
    const { collector, source, open } = take({ command: ['cat', path] })
    await open()
    expect((await source.ended)?.code).toBe('camera_unreachable')
    expect(collector.units.map((unit) => unit.keyframe)).toEqual([true, false, false])
  })

  it('that is missing, ends, or writes nothing', async () => {
    await expect(take({ command: ['/no/such/program'] }).open()).rejects.toMatchObject({ code: 'camera_unreachable' })
    await expect(take({ command: ['true'] }).open()).rejects.toMatchObject({ code: 'camera_unreachable' })
    const hanging = take({ command: ['sleep', '60'] }, 200)
    await expect(hanging.open()).rejects.toMatchObject({ code: 'camera_timeout' })
  })
})

describe('an SDP file', () => {
  it('describes RTP on UDP, which is put in order', async () => {
    const port = (await freeUdpPort()) & ~1
    const path = join(await folder(), 'camera.sdp')
    await writeFile(path, sdpOf('c=IN IP4 127.0.0.1', videoLines[0]!.replace(' 0 ', ` ${port} `), videoLines[1]!))
    const { collector, open } = take({ sdp: path }, 20_000)
    const opened = open()
    const socket = createSocket('udp4')
    onTestFinished(() => void socket.close())
    const [one, two, three] = keyframe()
    const swapped = [one!, three!, two!, packet(4, 93_000, true, slice)]
    // the first may come before the port is open: the whole is sent until it has been heard
    const repeat = setInterval(() => {
      for (const bytes of swapped) socket.send(bytes, port, '127.0.0.1')
    }, 50)
    onTestFinished(() => clearInterval(repeat))
    await opened
    await collector.when(() => collector.units.length >= 1)
    expect(collector.units[0]).toMatchObject({ keyframe: true, frame: 0 })
    expect(collector.units[0]!.data.map((nal) => nal[0]! & 0x1f)).toEqual([7, 8, 5])
  })

  it('that is missing or wrong says so', async () => {
    const path = join(await folder(), 'camera.sdp')
    expect(existsSync(path)).toBe(false)
    await expect(take({ sdp: path }).open()).rejects.toMatchObject({ code: 'sdp_file_invalid' })
    await writeFile(path, 'hello')
    await expect(take({ sdp: path }).open()).rejects.toMatchObject({ code: 'sdp_file_invalid' })
    await writeFile(path, sdpOf(...videoLines)) // port 0
    await expect(take({ sdp: path }).open()).rejects.toMatchObject({ code: 'sdp_file_invalid' })
  })
})
