import { expect, onTestFinished, test } from 'vitest'
import { gatewayConfigSchema } from '../../gateway/config/schema.ts'
import type { SessionReport } from '../../gateway/metrics/session-report.ts'
import { openTurn } from '../../gateway/webrtc/turn.ts'
import { openChromium } from '../support/chromium.ts'
import { startCoturn } from '../support/coturn.ts'
import { foreignCamera, startForeignDevice } from '../support/foreign-device.ts'
import { GatewayHouse } from '../support/house.ts'
import { freeUdpPort } from '../support/ports.ts'
import { tempDir } from '../support/temp-dir.ts'
import { startUdpRelay } from '../support/udp-relay.ts'
import { phoneSees } from '../support/viewer-page.ts'

/** What libwebrtc sends, Chromium sees: both legs take the way that is tried. */
async function throughGateway(
  gateway: GatewayHouse,
  device: Parameters<typeof startForeignDevice>[2],
  flags: string[],
) {
  await startForeignDevice(gateway, onTestFinished, device)
  return phoneSees(await openChromium(onTestFinished, { flags }), gateway, foreignCamera)
}

test('libwebrtc and Chromium reach the gateway by UDP', async () => {
  const gateway = await GatewayHouse.open(onTestFinished)
  expect(await throughGateway(gateway, undefined, [])).toEqual({ relay: undefined, posts: 1 })
})

test('libwebrtc and Chromium reach a gateway on ::1', async () => {
  const media = { port: await freeUdpPort(), bindAddress: '::1' }
  const gateway = await GatewayHouse.open(onTestFinished, { media })
  // Chromium leaves loopback out by itself.
  const flags = ['--allow-loopback-in-peer-connection']
  expect(await throughGateway(gateway, undefined, flags)).toEqual({ relay: undefined, posts: 1 })
  const sessions = await gateway.json<SessionReport[]>('/api/sessions')
  expect(sessions.map(({ role }) => role).sort()).toEqual(['producer', 'viewer'])
  for (const { remoteAddress } of sessions) expect(remoteAddress).toMatch(/^\[[\da-f:]+\]:\d+$/)
})

test.each(['udp', 'tcp'] as const)(
  'libwebrtc and Chromium reach the gateway over coturn only, by %s',
  async (transport) => {
    const coturn = await startCoturn(await tempDir(), transport, onTestFinished)
    const port = await freeUdpPort()
    await using firewall = await startUdpRelay({ target: { port }, admits: coturn.isRelay })
    const gateway = await GatewayHouse.open(onTestFinished, {
      ...coturn.settings,
      media: { port, announce: [`127.0.0.1:${firewall.port}`] },
    })
    const relayFor = await openTurn(gatewayConfigSchema.parse(coturn.settings).turn, Date.now)
    expect(await throughGateway(gateway, relayFor!('foreign'), [])).toEqual({ relay: transport, posts: 1 })
    for (const name of ['owner', 'foreign']) {
      await coturn.process.line(new RegExp(`user <\\d+:${name}>: incoming packet ALLOCATE processed, success`))
    }
  },
)
