import { randomUUID } from 'node:crypto'
import { withoutCandidates } from '../../support/udp-relay.ts'
import { within } from '../../support/within.ts'
import { addCandidates, type LoadViewer, newPeer } from './load-viewer.ts'
import { Receiver } from './receiver.ts'

interface Reply {
  janus: string
  data?: { id: number }
  error?: { reason: string }
  plugindata?: { data?: { error?: string } }
  jsep?: { type: string; sdp: string }
}

export interface JanusTarget {
  /** Of its HTTP API. */
  url: string
  /** Where viewers are. */
  address: string
  mountpoint: number
}

const waitMs = 15_000

/**
 * Watches a mountpoint of Janus' streaming plugin, by its HTTP API. Resolves when Janus has the answer.
 * @throws Error naming what Janus did not give
 */
export async function joinJanus({ url, address, mountpoint }: JanusTarget): Promise<LoadViewer> {
  const over = new AbortController()
  const call = async (path: string, init: RequestInit) => {
    const reply = (await (await fetch(url + path, init)).json()) as Reply
    const error = reply.error?.reason ?? reply.plugindata?.data?.error
    if (error !== undefined) throw new Error(`Janus: ${error}`)
    return reply
  }
  const tell = (path: string, body: object) => {
    const text = JSON.stringify({ transaction: randomUUID(), ...body })
    return call(path, { method: 'POST', body: text, signal: AbortSignal.timeout(waitMs) })
  }
  const session = `/${(await tell('', { janus: 'create' })).data!.id}`
  const attached = await tell(session, { janus: 'attach', plugin: 'janus.plugin.streaming' })
  const handle = `${session}/${attached.data!.id}`
  const listen = () => call(session, { signal: over.signal })
  const nextOffer = async () => {
    for (;;) {
      const { jsep } = await listen()
      if (jsep) return jsep.sdp
    }
  }
  await tell(handle, { janus: 'message', body: { request: 'watch', id: mountpoint } })
  const offer = await within("Janus' offer", waitMs, nextOffer())
  const peer = newPeer(address)
  const receiver = new Receiver(offer)
  peer.onTrack((track) => receiver.take(track))
  const gathered = Promise.withResolvers<void>()
  peer.onGatheringStateChange((state) => {
    if (state === 'complete') gathered.resolve()
  })
  peer.setRemoteDescription(withoutCandidates(offer), 'offer')
  peer.setLocalDescription('answer')
  await within("the viewer's candidates", waitMs, gathered.promise)
  const jsep = { type: 'answer', sdp: peer.localDescription()!.sdp }
  await tell(handle, { janus: 'message', body: { request: 'start' }, jsep })
  addCandidates(peer, offer)
  // A session that nobody listens to is ended after a minute.
  void stayListening(listen, over.signal)
  return {
    counts: () => receiver.counts,
    close: async () => {
      over.abort()
      receiver.close()
      peer.close()
      await tell(session, { janus: 'destroy' })
    },
  }
}

async function stayListening(listen: () => Promise<Reply>, over: AbortSignal): Promise<void> {
  try {
    while (!over.aborted) await listen()
  } catch (error) {
    if (!over.aborted) process.stderr.write(`Janus is not heard any more: ${String(error)}\n`)
  }
}
