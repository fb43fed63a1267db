import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, onTestFinished, test } from 'vitest'
import type { Subject } from '../../../gateway/auth/subject.ts'
import { Producer } from '../../../gateway/sfu/producer.ts'
import { Sfu } from '../../../gateway/sfu/sfu.ts'
import { ViewerSessions } from '../../../gateway/signaling/viewers.ts'
import { clientHello } from '../../support/attacker/dtls-records.ts'
import { binding } from '../../support/attacker/stun.ts'
import { credential } from '../../support/credential.ts'
import { quietLog } from '../../support/quiet-log.ts'
import { until } from '../../support/until.ts'
import { usernameOf } from './attack.ts'
import { HonestPeer } from './honest-peer.ts'
import { lines, rtpPacket } from './lines.ts'
import { gatewayOnNodeDataChannel } from './node-datachannel.ts'
import { started, stranger, victim } from './victim.ts'

const megabyte = 2 ** 20
const ann: Subject = { kind: 'user', userId: 'u1', name: 'Ann', role: 'owner', credential }

/** What the process's objects hold, bytes. */
function bytesHeld(): number {
  setFlagsFromString('--expose-gc')
  ;(runInNewContext('gc') as () => void)()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

test('a flood of forged STUN, ClientHellos and RTP on the shared port costs its sessions no packet', async () => {
  const engine = await started(gatewayOnNodeDataChannel)
  const flows = [await victim(engine), await victim(engine), await victim(engine)]
  const strangers = await Promise.all(Array.from({ length: 16 }, stranger))
  const { address, fromPeer } = flows[0]!.engine
  const username = usernameOf(fromPeer)
  const flood = async (rounds: number) => {
    for (let round = 0; round < rounds; round += 1) {
      const junk = [
        binding({ username, useCandidate: true, password: 'guessed' }),
        binding({ username: `${round}:${round}`, useCandidate: true, password: 'guessed' }),
        clientHello(),
        rtpPacket(lines.audio, round),
      ]
      await Promise.all(strangers.flatMap((one) => junk.map((bytes) => one.send(bytes, address))))
      // All of it is in the engine's socket: what passes now has passed through the flood.
      await Promise.all(flows.map((flow) => flow.rounds(1)))
    }
  }
  await flood(50)
  const before = process.memoryUsage().rss
  await flood(150)
  expect(process.memoryUsage().rss - before).toBeLessThan(64 * megabyte)
  for (const flow of flows) flow.expectWhole()
  expect(strangers.flatMap((one) => one.heard)).toEqual([])
})

test('200 viewers that ask and never come are forgotten, with their memory; who watches does not notice', async () => {
  const gateway = await started(gatewayOnNodeDataChannel)
  const { engine } = gateway
  const flow = await victim(gateway)
  const now = () => performance.now()
  const sfu = new Sfu({ now, log: quietLog })
  const none = { frameNumberId: undefined, captureTimeId: undefined, transportCcId: undefined }
  const video = { kind: 'video', codec: 'h264', payloadType: 96, clockRate: 90_000, channels: 1, fmtp: '' } as const
  const producer = new Producer({
    camera: 'house.door',
    run: 'boot-0001',
    video: { ...video, ...none },
    audio: undefined,
    talk: undefined,
    send: () => undefined,
    now,
    wallNow: Date.now,
    log: quietLog,
  })
  sfu.publish(producer)
  const deadlines = new Set<() => void>()
  const timers = {
    set: (passed: () => void) => {
      deadlines.add(passed)
      return () => void deadlines.delete(passed)
    },
  }
  const limits = { sessions: 200, perCamera: 200 }
  const want = () => undefined
  const viewers = new ViewerSessions({ engine, sfu, want, now, wallNow: Date.now, log: quietLog, limits, timers })
  const peer = new HonestPeer()
  onTestFinished(async () => {
    peer.close()
    await viewers.close()
    await sfu.close()
  })
  const offer = await peer.offer()
  const come = async () => {
    for (let count = 0; count < 200; count += 1) {
      await viewers.join('house.door', offer, ann)
      if (count % 10 === 0) await flow.rounds(1)
    }
    expect(engine.sessions).toBe(201)
    await expect(viewers.join('house.door', offer, ann)).rejects.toMatchObject({ code: 'session_limit' })
    for (const passed of [...deadlines]) passed()
    await expect.poll(() => engine.sessions).toBe(1)
    expect(viewers.sessions).toBe(0)
    await flow.rounds(10)
    // The library lets go of its callbacks on threads of its own. Two hundred sessions hold more than thirty megabytes.
    await until('their memory to be given back', () => bytesHeld() < before + 8 * megabyte)
  }
  const before = bytesHeld()
  await come()
  await come()
  flow.expectWhole()
})
