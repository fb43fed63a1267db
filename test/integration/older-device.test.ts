import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { CameraNotice, EventNotice } from '@porchlight/proto/messages/notice.ts'
import { expect, onTestFinished, test } from 'vitest'
import { videoUnits } from '../support/coded-samples.ts'
import { decode } from '../support/decode.ts'
import { OlderDevice, olderCommand } from '../support/older-device.ts'
import { tempDir } from '../support/temp-dir.ts'
import { TestGateway } from '../support/test-gateway.ts'
import { until } from '../support/until.ts'

// Its live picture: test/e2e/foreign-device.test.ts, whose device understands no more than these commands.
test('a device that knows nothing of recording modes: its cameras, events and footage, and what it is asked for', async () => {
  const gateway = await TestGateway.open(onTestFinished, { recordings: { mode: 'continuous' } })
  const enrolled = await gateway.enrol('porch')
  const owner = await gateway.signIn()
  const ask = async <T>(path: string, init: RequestInit = {}) =>
    (await (await fetch(gateway.url + path, { ...init, headers: { ...owner, ...init.headers } })).json()) as T
  const camera = async () => (await ask<{ cameras: CameraNotice[] }>('/api/cameras')).cameras[0]
  const event = async (id: string) =>
    (await ask<{ events: EventNotice[] }>('/api/events')).events.find((one) => one.eventId === id)

  const device = new OlderDevice('porch')
  const client = await enrolled.connect(onTestFinished)
  const understood: string[] = []
  let dropped = 0
  client.on('message', (_, payload) => {
    const command = olderCommand.safeParse(JSON.parse(payload.toString()))
    if (command.success) understood.push(command.data.type)
    else dropped += 1
  })
  await client.subscribeAsync(device.commands, { qos: 1 })
  await client.publishAsync(...device.presence(true))
  await client.publishAsync(...device.cameras())
  expect(await until('the camera', async () => (await camera())?.online && camera())).toMatchObject({
    title: 'Old door',
    state: 'live',
    notes: ['camera_bframes'],
    recordingMode: 'continuous',
  })
  // All of it is to be recorded: it is told so, and asked for its stream.
  await until('the question for its stream', () => understood.includes('stream'))
  await until('a command that it does not know', () => dropped > 0)

  const begin = Date.now() - 4_000
  await client.publishAsync(...device.event('ring', 'begin', 'older-ring-1', begin))
  await client.publishAsync(...device.event('ring', 'active', 'older-ring-1', begin + 1_000))
  await client.publishAsync(...device.event('ring', 'end', 'older-ring-1', begin + 2_000))
  await until('the end of the ring', async () => (await event('older-ring-1'))?.end === begin + 2_000)

  const units = await videoUnits({ seconds: 3, startMs: begin })
  const body = device.footage(units)
  const delivery = '/api/device/cameras/door/footage/older-delivery-1'
  const delivered = await fetch(gateway.url + delivery, {
    method: 'PUT',
    headers: {
      authorization: `Bearer ${enrolled.token()}`,
      'content-type': 'application/octet-stream',
      'content-range': `bytes 0-${body.length - 1}/${body.length}`,
    },
    body,
  })
  expect(await delivered.json()).toEqual({ offset: body.length, complete: true })
  const movie = await fetch(`${gateway.url}/api/events/older-ring-1/recording.mp4`, { headers: owner })
  const path = join(await tempDir(), 'older.mp4')
  await writeFile(path, Buffer.from(await movie.arrayBuffer()))
  const { video, errors } = await decode(path)
  expect(errors).toEqual([])
  expect(video).toHaveLength(units.length)

  // It goes on sending of a camera that is off. Nothing of that is seen, and nobody is told what moves.
  const put = { method: 'PUT', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ mode: 'off' }) }
  await ask('/api/cameras/porch.door/recording', put)
  await until('that it is off', async () => (await camera())?.recordingMode === 'off')
  await client.publishAsync(...device.event('motion', 'begin', 'older-motion-1', Date.now()))
  await client.publishAsync(...device.event('ring', 'begin', 'older-ring-2', Date.now()))
  await until('the ring', () => event('older-ring-2'))
  expect(await event('older-motion-1')).toBeUndefined()
  expect((await camera())?.recording).toBe(false)
})
