import { readBinding } from '@porchlight/proto/net/stun.ts'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { IceAgent } from '../../../../../device/webrtc/werift/ice-agent.ts'
import { type Address, Stranger } from '../../../../support/attacker/stranger.ts'
import { type BindingOptions, binding, nominatedBehind } from '../../../../support/attacker/stun.ts'
import { quietLog } from '../../../../support/quiet-log.ts'

const remote = { ufrag: 'peer', password: 'the-peers-own-password', lite: false }
const data = (letter: string) => Buffer.from([128, letter.charCodeAt(0)])

/** An agent that was told of one peer, and has not heard of it yet. */
async function begin(bindAddress = '127.0.0.1') {
  const candidates: string[] = []
  const heard: string[] = []
  const failures: string[] = []
  const agent = new IceAgent({
    iceServers: [],
    bindAddress,
    log: quietLog,
    candidate: (text) => candidates.push(text),
    data: (bytes) => heard.push(bytes.toString('latin1', 1)),
    failed: () => failures.push('failed'),
  })
  onTestFinished(() => agent.close())
  await agent.gather()
  const [, host, port] = /^candidate:\S+ 1 UDP \d+ (\S+) (\d+) typ host$/.exec(candidates[0]!)!
  const address: Address = { address: host!, port: Number(port) }
  const peer = await person()
  return { agent, address, peer, candidates, heard, failures }
}

async function person(): Promise<Stranger> {
  const one = await Stranger.open()
  onTestFinished(() => one.close())
  return one
}

const checksAt = (one: Stranger) => one.heard.filter((bytes) => readBinding(bytes)?.kind === 'request')
const answersAt = (one: Stranger) => one.heard.filter((bytes) => readBinding(bytes)?.kind === 'success')

type Session = Awaited<ReturnType<typeof begin>>

function startTowards({ agent, peer }: Session): Promise<Buffer> {
  agent.addCandidate(`candidate:1 1 UDP 2122317823 127.0.0.1 ${peer.port} typ host`)
  agent.start(remote)
  return vi.waitFor(() => {
    const [check] = checksAt(peer)
    expect(check).toBeDefined()
    return check!
  })
}

const answerTo = (check: Buffer, more: Partial<BindingOptions> = {}) =>
  binding({ kind: 'success', transaction: check.subarray(8, 20), password: remote.password, ...more })

const checkOf = (agent: IceAgent, more: Partial<BindingOptions> = {}) =>
  binding({ username: `${agent.ufrag}:${remote.ufrag}`, password: agent.password, ...more })

async function connect(session: Session): Promise<void> {
  const { peer, address } = session
  await peer.send(answerTo(await startTowards(session)), address)
  await hears(session, 'connected')
}

/** Data of the peer's arrives, and with it all that was sent before it has been looked at. */
async function hears({ peer, address, heard }: Session, word: string): Promise<void> {
  await vi.waitFor(async () => {
    await peer.send(Buffer.from(`\x80${word}`, 'latin1'), address)
    expect(heard).toContain(word)
  })
}

describe('the ICE agent', () => {
  test('has a socket on the bound address alone, and names of its own for each session', async () => {
    const [one, other] = [await begin(), await begin()]
    expect(one.candidates).toHaveLength(1)
    expect(one.address.address).toBe('127.0.0.1')
    expect(one.agent.ufrag).toMatch(/^[A-Za-z0-9+/]{8}$/)
    expect(one.agent.password).toMatch(/^[A-Za-z0-9+/]{24}$/)
    expect(one.agent.password).not.toBe(other.agent.password)
  })

  test('works on IPv6 loopback', async () => {
    const { candidates, address } = await begin('::1')
    expect(candidates).toHaveLength(1)
    expect(address.address).toBe('::1')
  })

  test('an address that is not ours is an error, with nothing left open', async () => {
    await expect(begin('192.0.2.1')).rejects.toThrow()
  })

  test('asks the peer with both names, and hears it once it has answered', async () => {
    const session = await begin()
    const check = await startTowards(session)
    expect(readBinding(check)?.username).toBe(`${remote.ufrag}:${session.agent.ufrag}`)
    await session.peer.send(answerTo(check), session.address)
    await hears(session, 'a')
    expect(session.agent.roundTripMs).toBeGreaterThan(0)
    session.agent.send(data('x'))
    await vi.waitFor(() => expect(session.peer.heard).toContainEqual(data('x')))
  })

  test('believes no answer without the peer’s MESSAGE-INTEGRITY, or from elsewhere', async () => {
    const session = await begin()
    const { agent, peer, address, heard } = session
    const check = await startTowards(session)
    const stranger = await person()
    await peer.send(binding({ kind: 'success', transaction: check.subarray(8, 20) }), address)
    await peer.send(answerTo(check, { password: 'another-password-of-it' }), address)
    await stranger.send(answerTo(check), address)
    await peer.send(data('a'), address)
    await stranger.send(data('b'), address)
    // An answer to a check of the peer's tells that all of these were looked at.
    await peer.send(checkOf(agent), address)
    await vi.waitFor(() => expect(answersAt(peer)).toHaveLength(1))
    expect(heard).toEqual([])
    agent.send(data('x'))
    expect(peer.heard).not.toContainEqual(data('x'))
  })

  test('answers no check without both names and our password, before and after it is connected', async () => {
    const session = await begin()
    const { agent, peer, address } = session
    const name = `${agent.ufrag}:${remote.ufrag}`
    const signed = checkOf(agent)
    const forged = [
      binding({ username: name, useCandidate: true }),
      binding({ username: name, password: remote.password }),
      binding({ password: agent.password }),
      checkOf(agent, { username: `${agent.ufrag}:other` }),
      checkOf(agent, { username: agent.ufrag }),
      checkOf(agent, { username: `${name}:more` }),
      nominatedBehind(signed),
      signed.subarray(0, -9),
    ]
    await startTowards(session)
    for (const bytes of forged) await peer.send(bytes, address)
    await peer.send(signed, address)
    await vi.waitFor(() => expect(answersAt(peer)).toHaveLength(1))
    await connect(session)
    for (const bytes of forged) await peer.send(bytes, address)
    await peer.send(checkOf(agent), address)
    await vi.waitFor(() => expect(answersAt(peer)).toHaveLength(2))
    expect(answersAt(peer)).toHaveLength(2)
  })

  test('once connected answers and hears nobody elsewhere, were the check a valid one', async () => {
    const session = await begin()
    const { agent, peer, address, heard } = session
    const stranger = await person()
    await connect(session)
    await stranger.send(checkOf(agent, { useCandidate: true }), address)
    await stranger.send(data('b'), address)
    await hears(session, 'last')
    expect(stranger.heard).toEqual([])
    expect(heard).not.toContain('b')
    agent.send(data('x'))
    await vi.waitFor(() => expect(peer.heard).toContainEqual(data('x')))
  })

  test('keeps what overtook the answer to its check, and delivers it then', async () => {
    const session = await begin()
    const { agent, peer, address, heard } = session
    const check = await startTowards(session)
    await peer.send(checkOf(agent), address)
    for (const letter of 'abcdefghijkl') await peer.send(data(letter), address)
    await vi.waitFor(() => expect(answersAt(peer)).toHaveLength(1))
    expect(heard).toEqual([])
    await peer.send(answerTo(check), address)
    await vi.waitFor(() => expect(heard.join('')).toBe('abcdefgh'))
  })

  test('is told only candidates that are addresses of UDP, and only so many', async () => {
    const session = await begin()
    const { agent, peer } = session
    const [last, ...others] = await Promise.all(Array.from({ length: 3 }, person))
    for (const text of [
      'candidate:1 1 UDP 1 peer.local 9 typ host',
      'candidate:1 1 UDP 1 example.org 9 typ host',
      `candidate:1 1 TCP 1 127.0.0.1 ${others[0]!.port} typ host tcptype passive`,
      `candidate:1 2 UDP 1 127.0.0.1 ${others[1]!.port} typ host`,
      'candidate:1 1 UDP 1 127.0.0.1 0 typ host',
      'candidate:1 1 UDP 1 127.0.0.1 70000 typ host',
      'nonsense',
    ]) {
      agent.addCandidate(text)
    }
    for (let port = 1; port < 32; port += 1) agent.addCandidate(`candidate:1 1 UDP 1 192.0.2.1 ${port} typ host`)
    await startTowards(session)
    agent.addCandidate(`candidate:1 1 UDP 1 127.0.0.1 ${last!.port} typ host`)
    await connect(session)
    expect(checksAt(peer).length).toBeGreaterThan(0)
    expect([last!, ...others].map((one) => one.heard.length)).toEqual([0, 0, 0])
  })

  test('sends nothing and hears nothing when it is closed', async () => {
    const session = await begin()
    await connect(session)
    session.agent.close()
    session.agent.close()
    session.agent.send(data('x'))
    expect(session.failures).toEqual([])
  })
})
