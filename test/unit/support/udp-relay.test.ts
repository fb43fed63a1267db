import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { expect, onTestFinished, test } from 'vitest'
import { seeded } from '../../support/random.ts'
import { ImpairedLink, relaySdp, startUdpRelay, withoutCandidates } from '../../support/udp-relay.ts'

test('datagrams go through and come back to the client that asked', async () => {
  const target = createSocket('udp4')
  target.on('message', (bytes, from) => target.send(`re:${bytes}`, from.port, from.address))
  target.bind(0, '127.0.0.1')
  await once(target, 'listening')
  onTestFinished(() => void target.close())
  const relay = await startUdpRelay({ target: { port: target.address().port }, down: { delayMs: 5 } })
  onTestFinished(() => relay.close())
  const answers = await Promise.all(
    ['a', 'b'].map(async (word) => {
      const client = createSocket('udp4')
      onTestFinished(() => void client.close())
      client.send(word, relay.port, '127.0.0.1')
      const [bytes] = await once(client, 'message')
      return String(bytes)
    }),
  )
  expect(answers).toEqual(['re:a', 're:b'])
  expect(relay.up.counts.forwarded).toBe(2)
})

test('what goes through can be seen, and more can be put in under either side’s address', async () => {
  const seen: string[] = []
  const got: { bytes: string; port: number }[] = []
  const target = createSocket('udp4').bind(0, '127.0.0.1')
  const client = createSocket('udp4').bind(0, '127.0.0.1')
  await Promise.all([once(target, 'listening'), once(client, 'listening')])
  const relay = await startUdpRelay({
    target: { port: target.address().port },
    tap: (way, bytes) => seen.push(`${way} ${bytes}`) > 0 && String(bytes) !== 'kept',
  })
  onTestFinished(async () => {
    target.close()
    client.close()
    await relay.close()
  })
  target.on('message', (bytes, from) => got.push({ bytes: String(bytes), port: from.port }))
  expect(relay.client).toBeUndefined()
  expect(() => relay.inject('up', Buffer.from('early'))).toThrow()
  client.send('kept', relay.port, '127.0.0.1')
  client.send('real', relay.port, '127.0.0.1')
  await once(target, 'message')
  relay.inject('up', Buffer.from('forged'))
  await once(target, 'message')
  relay.inject('down', Buffer.from('back'))
  const [bytes, from] = await once(client, 'message')
  expect([String(bytes), from.port]).toEqual(['back', relay.port])
  expect(got.map((one) => one.bytes)).toEqual(['real', 'forged'])
  expect(got[0]!.port).toBe(got[1]!.port)
  expect(seen).toEqual(['up kept', 'up real'])
  expect(relay.client?.port).toBe(client.address().port)
})

test('a link lets through its rate, and drops what waits too long', () => {
  const link = new ImpairedLink({ rate: 8_000_000, queueMs: 50 }, seeded(1))
  onTestFinished(() => link.close())
  for (let count = 0; count < 100; count += 1) link.send(1172, () => {}, 1000) // 1200 bytes on the wire: 1.2 ms each
  expect(link.counts).toMatchObject({ forwarded: 42, overflowed: 58 })
})

test('losses are seeded', () => {
  const lost = [1, 1, 2].map((seed) => {
    const link = new ImpairedLink({ loss: 0.1 }, seeded(seed))
    for (let count = 0; count < 1000; count += 1) link.send(100, () => {}, count)
    return link.counts.lost
  })
  expect(lost[0]).toBe(lost[1])
  expect(lost[0]).not.toBe(lost[2])
  expect(lost[0]).toBeGreaterThan(70)
  expect(lost[0]).toBeLessThan(130)
})

test('an SDP points to the relay alone', () => {
  const sdp = [
    'v=0',
    'm=video 9 UDP/TLS/RTP/SAVPF 96',
    'a=candidate:1 1 UDP 2 10.0.0.1 4880 typ host',
    'a=candidate:2 1 TCP 1 10.0.0.1 4880 typ host',
    'a=end-of-candidates',
    'm=audio 9 UDP/TLS/RTP/SAVPF 111',
    '',
  ].join('\r\n')
  expect(relaySdp(sdp, 7000).match(/candidate:.*/g)).toEqual(['candidate:1 1 UDP 2122317823 127.0.0.1 7000 typ host'])
  expect(withoutCandidates(sdp)).not.toMatch(/candidate/)
  expect(withoutCandidates(sdp)).toMatch(/m=audio/)
})
