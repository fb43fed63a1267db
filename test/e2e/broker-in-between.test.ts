import { describe, expect, test } from 'vitest'
import { startCamera } from '../sim/start-camera.ts'
import { AgentHouse, cameraThat, GatewayHouse } from '../support/house.ts'
import { openTwoBrokers } from '../support/two-brokers.ts'
import { until } from '../support/until.ts'

const otherFingerprint = `a=fingerprint:sha-256 ${Array.from({ length: 32 }, () => 'AB').join(':')}`
const swap = (payload: string) => payload.replace(/a=fingerprint:sha-256 [0-9A-Fa-f:]+/g, otherFingerprint)

describe('a broker in between that swaps the DTLS fingerprint gets no media', () => {
  test.concurrent.each([
    ['offer', 'device'],
    ['answer', 'gateway'],
  ] as const)('in the %s', async (what, from) => {
    const cleanUps: (() => Promise<void>)[] = []
    try {
      const atEnd = (cleanUp: () => Promise<void>) => cleanUps.unshift(cleanUp)
      let swapping = true
      let swapped = 0
      const brokers = await openTwoBrokers(atEnd, (side, _topic, payload) => {
        if (side !== from || !swapping || !payload.includes('fingerprint')) return payload
        swapped += 1
        return swap(payload)
      })
      const camera = await startCamera()
      atEnd(() => camera.close())
      const gateway = await GatewayHouse.open(atEnd, {
        broker: {
          mode: 'url',
          url: brokers.gatewaySide.url,
          user: 'gateway',
          password: 'g',
          publicUrl: brokers.deviceSide.url,
        },
      })
      const agent = await AgentHouse.open(
        gateway,
        { source: { url: camera.url, transport: 'tcp' }, motion: { enabled: false } },
        atEnd,
        { enrolFlags: ['--broker-user', 'porch', '--broker-password', 'p'], settings: { ring: { holdSeconds: 1 } } },
      )
      await cameraThat(gateway, agent.camera, (notice) => notice.online && notice.state === 'live')
      await agent.ring()
      await until(`a swapped ${what}`, () => swapped > 0)
      const refuser = what === 'offer' ? gateway.process : agent.process
      await refuser.line(/signature_invalid/)
      expect((await gateway.cameras()).find(({ id }) => id === agent.camera)!.lastPictureAt).toBeNull()

      // The same way with an honest broker brings the picture.
      swapping = false
      await until('media once nobody swaps', async () => {
        if ((await gateway.events()).every(({ end }) => end !== null)) await agent.ring()
        return (await gateway.cameras()).some(({ id, lastPictureAt }) => id === agent.camera && lastPictureAt !== null)
      })
    } finally {
      for (const cleanUp of cleanUps) await cleanUp()
    }
  })
})
