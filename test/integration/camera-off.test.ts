import { join } from 'node:path'
import { isSubRun } from '@porchlight/proto/ids.ts'
import { expect, it, onTestFinished } from 'vitest'
import { scanFiles } from '../../gateway/recorder/scan-files.ts'
import { startCamera } from '../sim/start-camera.ts'
import { AgentHouse, cameraThat, eventThat, GatewayHouse } from '../support/house.ts'
import { type RecordingSaid, recordingThat } from '../support/recording.ts'
import { until } from '../support/until.ts'

it('a camera that is off is let go: nobody sees or records it, a ring still rings, and it comes back', async () => {
  const atEnd = (cleanUp: () => Promise<unknown>) => onTestFinished(async () => void (await cleanUp()))
  const camera = await startCamera({ small: true, gop: 25 })
  atEnd(() => camera.close())
  const gateway = await GatewayHouse.open(atEnd, { recordings: { mode: 'continuous-sub', postroll: 1 } })
  const agent = await AgentHouse.open(
    gateway,
    { source: { url: camera.url, sub: camera.subUrl }, motion: { enabled: false } },
    atEnd,
    { settings: { ring: { holdSeconds: 1 } } },
  )
  const path = `/api/cameras/${agent.camera}`
  const choose = async (method: 'PUT' | 'DELETE', body?: object) => {
    const content = body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
    return (await gateway.fetch(`${path}/recording`, { method, ...content })).json()
  }
  const seen = async (way: string, init?: RequestInit) => {
    const response = await gateway.fetch(path + way, init)
    return [response.status, ((await response.json()) as { code: string }).code]
  }
  const offer = { method: 'POST', headers: { 'content-type': 'application/sdp' }, body: 'v=0' }
  const isOff = (one: { state: string; error?: string | undefined; recordingMode?: string | undefined }) =>
    one.state === 'failed' && one.error === 'camera_off' && one.recordingMode === 'off'
  await cameraThat(gateway, agent.camera, (one) => one.recording && one.state === 'live')
  const watched = await gateway.fetch(`${path}/live.mp4`)
  expect(watched.status).toBe(200)

  expect(await choose('PUT', { mode: 'off' })).toEqual({ mode: 'off', chosen: true })
  await watched.arrayBuffer() // what was watched has ended
  const off = await cameraThat(gateway, agent.camera, (one) => isOff(one) && !one.recording)
  expect(off.online).toBe(true)
  await until('no connection to the camera', () => camera.clients.connected === 0)
  const letGoAt = Date.now()
  expect(await seen('/whep', offer)).toEqual([409, 'camera_off'])
  expect(await seen('/live.mp4')).toEqual([409, 'camera_off'])

  await agent.ring()
  const unseen = await eventThat(gateway, (one) => one.kind === 'ring' && one.end !== null)
  expect((await gateway.cameras()).find(({ id }) => id === agent.camera)?.recording).toBe(false)

  // It stays off over restarts of either side, also before they have met again.
  await gateway.process.stop()
  await agent.process.stop()
  await agent.start()
  await gateway.start()
  await cameraThat(gateway, agent.camera, (one) => one.online && isOff(one))
  expect(camera.clients.connected).toBe(0)
  // What was recorded before is its pre-roll; of the time since there is nothing.
  const { recording } = await gateway.json<{ recording: RecordingSaid }>(`/api/events/${unseen.eventId}`)
  expect(recording.state).not.toBe('growing')
  expect(recording.toMs ?? 0).toBeLessThan(letGoAt)

  expect(await choose('DELETE')).toEqual({ mode: 'continuous-sub', chosen: false })
  const onAt = Date.now()
  await cameraThat(gateway, agent.camera, (one) => one.recording && (one.lastPictureAt ?? 0) > onAt)
  await agent.ring()
  const seenAgain = await eventThat(gateway, (one) => one.eventId !== unseen.eventId && one.end !== null)
  await recordingThat(gateway, seenAgain.eventId, ({ state, toMs }) => state === 'complete' && toMs! >= seenAgain.end!)
  // The small layer all the time, the main one of the event.
  const { files } = scanFiles(join(gateway.directory, 'gateway/recordings'), new Set())
  const layers = files.flatMap(({ parts }) => parts.map(({ run }) => (isSubRun(run) ? 'small' : 'main')))
  expect(new Set(layers)).toEqual(new Set(['small', 'main']))
}, 300_000)
