import { readFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { fileURLToPath } from 'node:url'
import { PorchlightError } from '@porchlight/proto/errors.ts'
import type { Logger } from 'pino'
import type { GatewayDeps } from './api/deps.ts'
import { cameraEventRoutes } from './api/routes/camera-events.ts'
import { cameraRoutes } from './api/routes/cameras.ts'
import { clipRoutes } from './api/routes/clips.ts'
import { eventRoutes } from './api/routes/events.ts'
import { footageRoutes } from './api/routes/footage.ts'
import { frameRoutes } from './api/routes/frames.ts'
import { healthRoutes } from './api/routes/health.ts'
import { liveStreamRoutes } from './api/routes/live-stream.ts'
import { mediaSessionRoutes } from './api/routes/media-sessions.ts'
import { metricsRoutes } from './api/routes/metrics.ts'
import { noticeRoutes } from './api/routes/notices.ts'
import { pushRoutes } from './api/routes/push.ts'
import { recordingModeRoutes } from './api/routes/recording-mode.ts'
import { recordingRoutes } from './api/routes/recordings.ts'
import { sessionRoutes } from './api/routes/session.ts'
import { spriteRoutes } from './api/routes/sprites.ts'
import { talkRoutes } from './api/routes/talk.ts'
import { timelineRoutes } from './api/routes/timeline.ts'
import { whepRoutes } from './api/routes/whep.ts'
import { whipRoutes } from './api/routes/whip.ts'
import { buildServer, listen } from './api/server.ts'
import { DeviceWatch } from './auth/device-watch.ts'
import { Devices } from './auth/devices.ts'
import { isPublished, PublishTokens } from './auth/publish-tokens.ts'
import { SignIn } from './auth/sign-in.ts'
import { type BrokerWay, DeviceLink } from './broker/device-link.ts'
import { EmbeddedBroker } from './broker/embedded-broker.ts'
import { CameraModes } from './cameras/camera-modes.ts'
import { LinkWatch } from './cameras/link-watch.ts'
import { PictureWatch } from './cameras/picture-watch.ts'
import { CameraRegistry } from './cameras/registry.ts'
import { signInLink as formatLink, publicUrl } from './config/addresses.ts'
import { indexPath, recordingsDirectory as recordingsDirectoryOf, signInLives } from './config/derived.ts'
import type { GatewayConfig } from './config/schema.ts'
import { eventListeners } from './event-listeners.ts'
import { EventService } from './events/event-service.ts'
import { EventStore } from './events/event-store.ts'
import { openIdentity } from './identity/gateway-identity.ts'
import { LiveStreams } from './live-stream/live-streams.ts'
import { Metrics } from './metrics/metrics.ts'
import { RecordingMetrics } from './metrics/recording-metrics.ts'
import { SessionMetrics } from './metrics/session-metrics.ts'
import { FloorNotices } from './notices/floor-notices.ts'
import { NoticeBroker } from './notices/notice-broker.ts'
import packageJson from './package.json' with { type: 'json' }
import { Clips } from './playback/clips.ts'
import { Playback } from './playback/playback.ts'
import { Sprites } from './playback/sprites.ts'
import { openPublishing } from './publishing.ts'
import { PushSender } from './push/push-sender.ts'
import { PushSubscriptions } from './push/subscriptions.ts'
import { ContinuousRecording } from './recorder/continuous.ts'
import { Recorder } from './recorder/recorder.ts'
import { Sfu } from './sfu/sfu.ts'
import { DeviceModes } from './signaling/device-modes.ts'
import { DeviceRelays } from './signaling/device-relays.ts'
import { SignalingHub } from './signaling/hub.ts'
import { SessionBook } from './signaling/session-book.ts'
import { ViewerSessions } from './signaling/viewers.ts'
import { findFfmpeg } from './stills/find-ffmpeg.ts'
import { openStore } from './store/open-store.ts'
import { NodeDataChannelEngine } from './webrtc/node-datachannel.ts'
import { RelayDoor } from './webrtc/relay-door.ts'
import { takeUdpPort } from './webrtc/take-udp-port.ts'
import { openTurn } from './webrtc/turn.ts'

/** A running gateway. */
export interface Gateway extends AsyncDisposable {
  readonly addresses: {
    /** Of the page and the API. */
    url: string
    /** TCP port of HTTP. */
    httpPort: number
    /** TCP port of the embedded broker, where it is the one. */
    brokerPort: number | undefined
    /** UDP port of media. */
    mediaPort: number
    /** The gateway's public key. */
    gatewayKey: string
  }
  /** One-time sign-in link, where nobody is signed in yet. */
  readonly signInLink: string | undefined
  /** Ends everything in order: nothing new comes in, recordings are written out, devices are told. Idempotent. */
  close(): Promise<void>
}

const httpRoutes = [
  sessionRoutes,
  mediaSessionRoutes,
  cameraRoutes,
  whepRoutes,
  whipRoutes,
  liveStreamRoutes,
  talkRoutes,
  cameraEventRoutes,
  eventRoutes,
  recordingRoutes,
  recordingModeRoutes,
  clipRoutes,
  timelineRoutes,
  spriteRoutes,
  footageRoutes,
  frameRoutes,
  pushRoutes,
  noticeRoutes,
  healthRoutes,
  metricsRoutes,
]

/**
 * Builds the gateway and starts it. What is made first is closed last.
 * @throws PorchlightError `port_in_use`, `config_invalid`, `identity_unreadable`, `index_*`, `recordings_in_use`, …
 */
export async function startGateway(config: GatewayConfig, log: Logger): Promise<Gateway> {
  await using stack = new AsyncDisposableStack()
  const now = Date.now
  const monotone = () => performance.now()
  const { random } = Math
  const metrics = new Metrics()

  // What is kept.
  const tls = await readTls(config)
  const relayFor = await openTurn(config.turn, now)
  const identity = await openIdentity(config.dataDir)
  const { db } = stack.use(await openStore(indexPath(config), log))
  const devices = new Devices({ db, gatewayKey: identity.publicKey, now })
  const publishTokens = new PublishTokens({ db, now })
  const signIn = new SignIn({ db, now, ...signInLives(config) })
  const cameras = stack.adopt(new CameraRegistry({ db, log, now }), (registry) => registry.close())
  const modes = stack.use(new CameraModes({ db, configured: config.recordings, cameras, now }))
  await modes.load()
  const mustBeOn = (camera: string) => modes.mustBeOn(camera)
  const recordingsDirectory = recordingsDirectoryOf(config)

  // To people.
  const { allowInsecure, subject } = config.push
  const subscriptions = new PushSubscriptions({ db, now, allowInsecure })
  const { vapid } = identity
  const push = stack.use(new PushSender({ subscriptions, vapid, subject, allowInsecure, metrics, log, random }))
  const notices = stack.use(await NoticeBroker.open(log))
  const floorNotices = stack.use(new FloorNotices({ publish: (notice) => notices.floor(notice), now }))
  stack.defer(signIn.onEnd((session) => notices.endSession(session)))
  cameras.onChange((notice) => notices.camera(notice))
  cameras.onForget((id) => notices.forgetCamera(id))
  await cameras.load()

  // To devices.
  const broker =
    config.broker.mode === 'embedded' ? stack.use(await openBroker(config, tls, devices, metrics, log)) : undefined
  const linkWatch = stack.use(new LinkWatch(cameras))
  const link = stack.use(
    new DeviceLink({
      way: broker ? () => broker.connectGateway() : await otherBroker(config),
      clientId: `porchlight-gateway-${identity.publicKey.slice(0, 8)}`,
      enrolled: async () => (await devices.list()).filter((row) => row.revoked_at === null).map((row) => row.name),
      handlers: {
        presence: (device, message) => cameras.presence(device, message),
        cameras: (device, message) => cameras.cameras(device, message),
        event: (device, message) => events.handle(device, message),
        signal: (device, message) => hub.handle(device, message),
        link: (up) => {
          broker?.gatewayListens(up)
          linkWatch.link(up)
        },
      },
      ...{ metrics, log, now, random },
    }),
  )
  const unsent = (device: string, type: string) => (error: unknown) =>
    log.warn({ device, type, err: error }, 'a message to a device could not be sent')
  const command = (device: string, body: Parameters<DeviceLink['sendCommand']>[1]) => {
    link.sendCommand(device, body).catch(unsent(device, body.type))
  }

  // Media.
  const bindAddress = config.media.bindAddress ?? (isIP(config.http.host) ? config.http.host : '0.0.0.0')
  const mediaPort = await takeUdpPort(bindAddress, config.media.port)
  const { announce } = config.media
  const door =
    relayFor &&
    stack.use(await RelayDoor.open({ bindAddress, port: config.turn.doorPort, mediaPort, now: monotone, log }))
  const engine = stack.use(new NodeDataChannelEngine({ bindAddress, port: mediaPort, announce, door, log }))
  const sfu = stack.use(new Sfu({ now: monotone, log }))
  stack.use(new PictureWatch({ cameras, onProducer: (callback) => sfu.onProducer(callback) }))
  const book = stack.use(new SessionBook({ metrics: new SessionMetrics(metrics.registry) }))
  const hub = stack.use(
    new SignalingHub({
      ...{ engine, sfu, identity, command, book, mustBeOn, now: monotone, wallNow: now, log },
      deviceKey: (device) => devices.key(device),
      limits: { lingerMs: config.media.lingerSeconds * 1000 },
      send: (device, body) => {
        link.sendSignal(device, body).catch(unsent(device, body.type))
      },
    }),
  )
  const want = (camera: string) => {
    if (!isPublished(camera) && !modes.isOff(camera)) hub.want(camera)
  }
  const deviceModes = stack.use(new DeviceModes({ cameras, mode: (camera) => modes.now(camera).mode, command }))
  const relays = relayFor && stack.use(new DeviceRelays({ relayFor, command }))
  const limits = { sessions: config.media.maxViewers, perCamera: config.media.maxViewersPerCamera }
  const viewers = stack.use(
    new ViewerSessions({ engine, sfu, want, mustBeOn, book, limits, now: monotone, wallNow: now, log }),
  )
  const publishers = stack.use(
    await openPublishing({
      ...{ engine, sfu, book, cameras, mustBeOn, now: monotone, wallNow: now, log },
      tokens: publishTokens,
    }),
  )
  const notEnded = (error: unknown) => log.error({ err: error }, 'sessions did not end cleanly')
  const signedOut = (credential: string) => viewers.signedOut(credential).catch(notEnded)
  stack.defer(signIn.onEnd(signedOut))
  sfu.onProducer((camera, producer) => metrics.producing.set({ camera }, producer ? 1 : 0))
  sfu.onFloor((camera, holder) => floorNotices.changed(camera, holder, sfu.floor(camera).leaseMs))

  const ffmpeg = await findFfmpeg(config.ffmpeg === undefined ? process.env : { FFMPEG_PATH: config.ffmpeg }, log)
  const countViewers = (camera: string) => cameras.viewers(camera, sfu.viewers(camera) + liveStreams.viewers(camera))
  const liveStreams = stack.use(new LiveStreams({ sfu, want, mustBeOn, ffmpeg, log, onViewers: countViewers }))
  sfu.onAudience(countViewers)
  stack.defer(signIn.onEnd((session) => liveStreams.endSession(session)))

  // Recording.
  const recorder = stack.use(
    new Recorder({
      ...{ db, directory: recordingsDirectory, sfu, ffmpeg, log, now },
      retention: config.recordings.retention,
      indexPath: indexPath(config),
      keepsFootage: (id) => !isPublished(id),
      modeAt: (id, ms) => modes.at(id, ms),
      counts: new RecordingMetrics(metrics.registry),
      askFootage: (id, bootId, fromFrame, toFrame) => {
        const [device, camera] = id.split('.') as [string, string]
        command(device, { type: 'footage', camera, bootId, fromFrame, toFrame })
      },
    }),
  )
  recorder.onState((camera, state) => cameras.recording(camera, state))
  await recorder.start()
  stack.use(new ContinuousRecording({ cameras, modes, recorder, want }))
  const isActive = (camera: string, event: string) => recorder.isActive(camera, event)
  const playback = new Playback({ db, directory: recordingsDirectory, isActive, now })
  const clips = new Clips({ db, directory: recordingsDirectory })
  const sprites = stack.use(new Sprites({ db, directory: recordingsDirectory, ffmpeg, log }))

  // What happens.
  const title = (camera: string) => cameras.title(camera)
  const events: EventService = stack.use(
    new EventService({
      store: new EventStore(db),
      listeners: eventListeners({
        hub: { offered: (device, offer) => hub.offered(device, offer), want },
        recorder,
        notices,
        push,
        events: () => events,
        title,
        now,
      }),
      ...{ title, metrics, log, now },
      // Who is not to be seen is not to be watched for either. A ring is somebody's wish.
      ignores: (camera, { kind, phase, at }) => kind === 'motion' && phase !== 'end' && modes.at(camera, at) === 'off',
      prerollMs: config.recordings.preroll * 1_000,
      postrollMs: config.recordings.postroll * 1_000,
      quietMs: config.events.quietAfter * 1_000,
      ringMs: config.events.ringSeconds * 1_000,
    }),
  )
  recorder.onStill((event) => {
    events.stillReady(event).catch((error: unknown) => log.error({ err: error, event }, 'a still could not be told'))
  })
  cameras.onOnline((device, online) => {
    metrics.devicesOnline.set(cameras.devicesOnline)
    relays?.online(device, online)
    for (const camera of cameras.ofDevice(device)) recorder.deviceOnline(camera, online, cameras.bootId(device))
    deviceModes.online(device, online)
    if (!online) hub.deviceGone(device)
    // Whoever waits for a picture of this device gets it as soon as it is back.
    else for (const camera of cameras.ofDevice(device)) if (sfu.wanted(camera) || events.isOpen(camera)) want(camera)
  })
  cameras.onChange(({ id, online, state }) => {
    const waits = online && state === 'live' && !sfu.producer(id) && (sfu.wanted(id) || events.isOpen(id))
    if (waits) want(id)
  })
  const deviceGone = (device: string) => {
    broker?.cut(device)
    hub.revoked(device)
    cameras.forgetDevice(device)
  }
  modes.onChange((camera, { mode }) => {
    cameras.mode(camera, mode)
    if (mode !== 'off') return
    hub.switchedOff(camera)
    liveStreams.switchedOff(camera)
    Promise.all([viewers.switchedOff(camera), publishers.switchedOff(camera)]).catch(notEnded)
  })
  modes.start()
  const watch = stack.use(new DeviceWatch({ devices, gone: deviceGone, log }))
  await watch.look()
  await events.load()

  const deps: GatewayDeps = {
    ...{
      config,
      db,
      log,
      now,
      signIn,
      devices,
      cameras,
      modes,
      events,
      push: subscriptions,
      vapidPublicKey: vapid.publicKey,
    },
    ...{ publishTokens, publishers },
    ...{ notices, brokerUp: () => link.up, metrics, viewers, liveStreams, floor: viewers, sessions: book, relayFor },
    ...{ recorder, playback, clips, sprites, recordingsDirectory },
  }
  const viewer = config.http.viewer ?? fileURLToPath(new URL('../viewer/dist', import.meta.url))
  const { version } = packageJson
  const app = stack.adopt(await buildServer({ deps, routes: httpRoutes, viewer, tls, version }), (server) =>
    server.close(),
  )
  const { port: httpPort } = await listen(app, config.http.host, config.http.port)
  link.start()

  const url = publicUrl(config, httpPort)
  const signInLink = await firstLink(signIn, url)
  const running = stack.move()
  let closing: Promise<void> | undefined
  const close = () => {
    closing ??= running.disposeAsync()
    return closing
  }
  const brokerPort = broker?.address.port
  log.info({ url, brokerPort, mediaPort }, 'the gateway is running')
  return {
    addresses: { url, httpPort, brokerPort, mediaPort, gatewayKey: identity.publicKey },
    signInLink,
    close,
    [Symbol.asyncDispose]: close,
  }
}

type Tls = { cert: string; key: string } | undefined

async function readTls(config: GatewayConfig): Promise<Tls> {
  if (!config.tls) return undefined
  try {
    const [cert, key] = await Promise.all([readFile(config.tls.cert, 'utf8'), readFile(config.tls.key, 'utf8')])
    return { cert, key }
  } catch (cause) {
    throw new PorchlightError('config_invalid', `tls: ${cause instanceof Error ? cause.message : 'unreadable'}`, {
      cause,
    })
  }
}

function openBroker(config: GatewayConfig, tls: Tls, devices: Devices, metrics: Metrics, log: Logger) {
  const { host, port } = config.broker
  return EmbeddedBroker.open({ host, port, tls, devices, metrics, log })
}

async function otherBroker({ broker }: GatewayConfig): Promise<() => BrokerWay> {
  const ca = broker.ca === undefined ? undefined : await readFile(broker.ca, 'utf8')
  return () => ({ url: broker.url!, user: broker.user, password: broker.password, ca })
}

/** A link while nobody has signed in; later ones come from `gateway link`. */
async function firstLink(signIn: SignIn, url: string): Promise<string | undefined> {
  const { userId, signedInBefore } = await signIn.ensureOwner()
  if (signedInBefore) return undefined
  return formatLink(url, (await signIn.makeLink(userId)).token)
}
