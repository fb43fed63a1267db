import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { EventNotice } from '@porchlight/proto/messages/notice.ts'
import type { SentUnit } from '../../sim/media-loop.ts'
import { type SimulatedCamera, startCamera } from '../../sim/start-camera.ts'
import type { AtEnd } from '../../support/child.ts'
import { AgentHouse, cameraThat, eventThat, GatewayHouse } from '../../support/house.ts'
import { freePort, freeUdpPort } from '../../support/ports.ts'
import { seeded } from '../../support/random.ts'
import { notRecorded, type RecordedUnit, recordedUnits } from '../../support/recorded-units.ts'
import { startTcpRelay } from '../../support/tcp-relay.ts'
import { startUdpRelay } from '../../support/udp-relay.ts'
import { until } from '../../support/until.ts'

/** Loss in per cent, or what else happens. */
export const completeCases = ['0', '2', '5', '10', 'outage', 'kills', 'restart'] as const
export type CompleteCase = (typeof completeCases)[number]

export interface ThroughOptions {
  /** Length of the event. */
  seconds: number
  seed: number
  log(line: string): void
}

/** One way, ms. */
const delayMs = 25
const outageMs = 30_000
const kills = 3
/** A gateway that was killed is started again so much later, ms. */
const awayMs = 3_000
/** Payload of a TCP segment, bytes. */
const segmentBytes = 1_448

/** The agent has seen more than the pre-roll by then, ms. */
const beforeMs = 16_000
/** At the edges of what is wanted a picture may be in or out: the clocks of camera and agent differ by a little, ms. */
const edgeMs = 200
/** Of the gateway, by default. */
const prerollMs = 10_000
const postrollMs = 5_000
/** What is on its way has so long to arrive after the last event ended, ms. */
const patienceMs = 180_000

export interface Through {
  wanted: number
  /** Pictures that were to be recorded and are not on the disk. */
  missing: number
  completeRatio: number
  /** Null where everything came live. */
  extraBytesRatio: number | null
  /** Bytes of pictures that came as footage, pre-roll apart, and all bytes that the agent sent for them. */
  lostBytes: number
  sentBytes: number
}

/** Records an event of a simulated camera over a bad way, and counts what is on the disk in the end. */
export async function recordThrough(name: CompleteCase, options: ThroughOptions): Promise<Through> {
  await using stack = new AsyncDisposableStack()
  const scene = await openScene(stack, lossShareOf(name), options)
  const { agent, camera, gateway, way } = scene
  await until('pre-roll', () => spanMs(camera.frames()) > beforeMs)
  const bytesBefore = way.httpBytes
  await agent.ring()
  await eventThat(gateway, ({ kind }) => kind === 'ring')
  options.log('the event has begun')
  await trouble(name, scene, options)
  const events = await until(
    'the end of the event',
    async () => {
      const all = await gateway.events()
      return all.every(({ end }) => end !== null) && all
    },
    options.seconds * 1_000 + 60_000,
  )
  const wanted = camera.frames().filter((frame) => frame.seen && events.some((event) => isWanted(event, frame.sentMs)))
  const read = () => recordedUnits(join(gateway.directory, 'gateway', 'recordings'), agent.camera)
  let missing: SentUnit[] = wanted
  const deadline = Date.now() + patienceMs
  for (; missing.length > 0 && Date.now() < deadline; await wait(1_000)) {
    const left = notRecorded(wanted, read())
    if (left.length !== missing.length) options.log(`${left.length} of ${wanted.length} pictures are not there`)
    missing = left
  }
  for (const { index, sentMs } of missing.slice(0, 50)) options.log(`missing: ${index} sent at ${sentMs}`)
  const lost = lostBytes(read())
  const sentBytes = way.httpBytes - bytesBefore - lost.preroll
  return {
    wanted: wanted.length,
    missing: missing.length,
    completeRatio: (wanted.length - missing.length) / wanted.length,
    extraBytesRatio: lost.later === 0 ? null : Math.round((sentBytes / lost.later) * 100) / 100,
    lostBytes: lost.later,
    sentBytes,
  }
}

function lossShareOf(name: CompleteCase): number {
  return /^\d+$/.test(name) ? Number(name) / 100 : 0
}

function isWanted({ begin, end }: EventNotice, atMs: number): boolean {
  return atMs > begin - prerollMs + edgeMs && atMs < end! + postrollMs - edgeMs
}

function spanMs(frames: readonly SentUnit[]): number {
  return frames.length === 0 ? 0 : frames.at(-1)!.sentMs - frames[0]!.sentMs
}

/** Bytes of pictures that are there as footage only: from before their run's first live one (pre-roll), and later. */
function lostBytes(units: readonly RecordedUnit[]): { preroll: number; later: number } {
  const bytes = { preroll: 0, later: 0 }
  for (const run of Map.groupBy(units, (unit) => unit.run).values()) {
    const live = run.filter(({ path }) => path.includes('-live'))
    const firstLive = Math.min(...live.map(({ frame }) => frame))
    const known = new Set(live.map(({ frame }) => frame))
    for (const unit of run) {
      if (known.has(unit.frame)) continue
      known.add(unit.frame)
      bytes[unit.frame < firstLive ? 'preroll' : 'later'] += unit.bytes
    }
  }
  return bytes
}

/** What happens during the event. */
async function trouble(
  name: CompleteCase,
  { agent, camera, gateway, way }: Scene,
  options: ThroughOptions,
): Promise<void> {
  const { seconds, seed, log } = options
  if (name === 'outage') {
    await wait(seconds * 200)
    way.broken = true
    log('the way is broken')
    await wait(outageMs)
    way.broken = false
    log('the way is there again')
  } else if (name === 'kills') {
    const random = seeded(seed)
    for (let count = 0; count < kills; count += 1) {
      await wait(5_000 + random() * ((seconds * 1_000) / kills - 5_000 - awayMs))
      await gateway.process.kill()
      log('the gateway was killed')
      await wait(awayMs)
      await gateway.start()
    }
  } else if (name === 'restart') {
    await wait(seconds * 300)
    await agent.process.stop(20_000)
    log('the agent was stopped')
    await agent.start()
    const { length } = camera.frames()
    await until('pictures for the agent', () =>
      camera
        .frames()
        .slice(length)
        .some(({ seen, keyframe }) => seen && keyframe),
    )
    await agent.ring()
  }
}

interface Scene {
  camera: SimulatedCamera
  gateway: GatewayHouse
  agent: AgentHouse
  way: Way
}

/** Everything between the agent and the gateway. */
interface Way {
  /** Bytes that the agent sent to the gateway's HTTP. */
  readonly httpBytes: number
  broken: boolean
}

/** A simulated camera, its agent, and behind a bad way the gateway. */
async function openScene(stack: AsyncDisposableStack, lossShare: number, options: ThroughOptions): Promise<Scene> {
  const atEnd: AtEnd = (cleanUp) => stack.defer(cleanUp)
  const camera = stack.use(await startCamera({ gop: 100, bitrate: 1_000_000 }))
  const ports = { http: await freePort(), broker: await freePort(), media: await freeUdpPort() }
  const impairment = { loss: lossShare, delayMs }
  const media = stack.use(
    await startUdpRelay({ target: { port: ports.media }, up: impairment, down: impairment, seed: options.seed }),
  )
  const tcp = { delayMs, ...(lossShare > 0 && { rate: tcpRate(lossShare) }) }
  const http = stack.use(await startTcpRelay({ target: ports.http, up: tcp, down: tcp }))
  const broker = stack.use(await startTcpRelay({ target: ports.broker, up: tcp, down: tcp }))
  const gateway = await GatewayHouse.open(atEnd, {
    http: { port: ports.http, publicUrl: `http://127.0.0.1:${http.port}` },
    media: { port: ports.media, announce: [`127.0.0.1:${media.port}`] },
    broker: { port: ports.broker, publicUrl: `mqtt://127.0.0.1:${broker.port}` },
    events: { ringSeconds: 600 },
  })
  const agent = await AgentHouse.open(
    gateway,
    { source: { url: camera.url, transport: 'tcp' }, motion: { enabled: false } },
    atEnd,
    { settings: { ring: { holdSeconds: options.seconds } } },
  )
  await cameraThat(gateway, agent.camera, ({ state, online }) => online && state === 'live')
  const unimpaired = { up: media.up.impairment, down: media.down.impairment }
  const way: Way = {
    get httpBytes() {
      return http.upBytes
    },
    get broken() {
      return http.broken
    },
    set broken(now) {
      http.broken = now
      broker.broken = now
      media.up.impairment = now ? { loss: 1 } : unimpaired.up
      media.down.impairment = now ? { loss: 1 } : unimpaired.down
    },
  }
  return { camera, gateway, agent, way }
}

/**
 * What one TCP connection carries where that share of segments is lost, bit/s (M. Mathis et al., “The macroscopic behavior
 * of the TCP congestion avoidance algorithm”, 1997).
 */
function tcpRate(lossShare: number): number {
  return ((segmentBytes * 8_000) / (2 * delayMs)) * Math.sqrt(1.5 / lossShare)
}
