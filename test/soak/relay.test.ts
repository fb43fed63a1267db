import { PorchlightError } from '@porchlight/proto/errors.ts'
import { writeRtp } from '@porchlight/proto/media/rtp.ts'
import { expect, onTestFinished, test } from 'vitest'
import type { SessionListener } from '../../device/webrtc/engine.ts'
import { IceServers } from '../../device/webrtc/ice-servers.ts'
import { nodeDataChannelEngine } from '../../device/webrtc/node-datachannel.ts'
import { offerLines } from '../../device/webrtc/offer-lines.ts'
import { weriftEngine } from '../../device/webrtc/werift/engine.ts'
import { gatewayConfigSchema } from '../../gateway/config/schema.ts'
import { openTurn } from '../../gateway/webrtc/turn.ts'
import { startCamera } from '../sim/start-camera.ts'
import { openChromium } from '../support/chromium.ts'
import { startCoturn } from '../support/coturn.ts'
import { AgentHouse, cameraThat, GatewayHouse } from '../support/house.ts'
import { freeUdpPort } from '../support/ports.ts'
import { quietLog } from '../support/quiet-log.ts'
import { tempDir } from '../support/temp-dir.ts'
import { relaySdp, startUdpRelay } from '../support/udp-relay.ts'
import { phoneSees } from '../support/viewer-page.ts'
import { GatewayPeer } from '../unit/device/webrtc/gateway-peer.ts'

async function houseWith(settings: Record<string, unknown>) {
  const camera = await startCamera({ small: true })
  onTestFinished(() => camera.close())
  const gateway = await GatewayHouse.open(onTestFinished, settings)
  const source = { url: camera.url, transport: 'tcp' }
  const agent = await AgentHouse.open(gateway, { source, motion: { enabled: false } }, onTestFinished)
  await cameraThat(gateway, agent.camera, (notice) => notice.online && notice.state === 'live')
  return { gateway, agent }
}

test.each(['udp', 'tcp'] as const)(
  'where UDP to the gateway is blocked, a phone sees the door over coturn by %s',
  async (transport) => {
    const coturn = await startCoturn(await tempDir(), transport, onTestFinished)
    const port = await freeUdpPort()
    await using firewall = await startUdpRelay({ target: { port }, admits: coturn.isRelay })
    const { gateway, agent } = await houseWith({
      ...coturn.settings,
      media: { port, announce: [`127.0.0.1:${firewall.port}`] },
    })
    const { relay, posts } = await phoneSees(await openChromium(onTestFinished), gateway, agent.camera)
    expect(relay).toBe(transport)
    expect(posts).toBe(1)
    // Each with credentials of its own, the device's lent over MQTT.
    for (const name of ['owner', 'porch']) {
      await coturn.process.line(new RegExp(`user <\\d+:${name}>: incoming packet ALLOCATE processed, success`))
    }
  },
)

test('a relay that is away keeps nobody who has a direct path', async () => {
  const port = await freeUdpPort()
  const { gateway, agent } = await houseWith({
    turn: { urls: [`turn:127.0.0.1:${port}`], secret: 'shared-secret', doorPort: 0 },
  })
  const { relay, posts } = await phoneSees(await openChromium(onTestFinished), gateway, agent.camera)
  expect(relay).toBeUndefined()
  expect(posts).toBe(1)
})

const engines = [
  { name: 'node-datachannel', open: nodeDataChannelEngine, givesBack: false },
  // When the session closes, its allocation is given back at once.
  { name: 'werift', open: weriftEngine, givesBack: true },
]

test.each(engines.flatMap((engine) => (['udp', 'tcp'] as const).map((transport) => ({ ...engine, transport }))))(
  "$name's packets reach a gateway that only coturn reaches, by $transport",
  async ({ open, givesBack, transport }) => {
    const coturn = await startCoturn(await tempDir(), transport, onTestFinished)
    const { turn } = gatewayConfigSchema.parse(coturn.settings)
    const relayFor = await openTurn(turn, Date.now)
    const servers = new IceServers({ configured: [], now: () => performance.now(), log: quietLog })
    onTestFinished(() => servers.close())
    await servers.lend(relayFor!('porch'))
    const opened = Promise.withResolvers<void>()
    const candidates: string[] = []
    const listener: SessionListener = {
      state: (state) => {
        if (state === 'failed') opened.reject(new PorchlightError('session_timeout'))
      },
      open: () => opened.resolve(),
      rtp: () => undefined,
      rtcp: () => undefined,
      // The gateway is told of none, so that it cannot come by another way.
      candidate: (candidate) => candidates.push(candidate),
    }
    const media = offerLines({
      video: { payloadType: 96, rtpmap: 'H264/90000', fmtp: 'packetization-mode=1', feedback: ['nack'] },
      videoSsrc: 1000,
      audio: undefined,
      audioSsrc: 0,
      talk: undefined,
    })
    const session = open(quietLog).open({ media, iceServers: servers.list(), bindAddress: '127.0.0.1' }, listener)
    onTestFinished(() => session.close())
    const peer = new GatewayPeer()
    onTestFinished(() => peer.close())
    const answer = await peer.answer(await session.offer())
    const port = Number(/^a=candidate:.* 127\.0\.0\.1 (\d+) typ host/m.exec(answer)?.[1])
    await using firewall = await startUdpRelay({ target: { port }, admits: coturn.isRelay })
    session.answer(relaySdp(answer, firewall.port))
    await opened.promise
    await peer.until(() => peer.tracks.get('v')?.isOpen() === true)
    const packets = Array.from({ length: 100 }, (_, index) => {
      const head = { marker: true, payloadType: 96, sequence: index + 1, timestamp: 0, ssrc: 1000 }
      return Buffer.from(writeRtp({ ...head, extensions: [], payload: Uint8Array.of(9, 8, 7) }))
    })
    for (const packet of packets) expect(session.send('v', packet)).toBe(true)
    await peer.until(() => peer.of('v').length === packets.length)
    expect(peer.of('v')).toEqual(packets)
    expect(candidates.filter((one) => one.includes('typ relay'))).toHaveLength(1)
    session.close()
    if (givesBack) await coturn.process.line(/refreshed, .*username=<\d+:porch>, lifetime=0/)
  },
)
