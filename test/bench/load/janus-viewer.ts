import { randomUUID } from 'node:crypto'
import { withoutCandidates } from '../../support/udp-relay.ts'
import { addCandidates, type LoadViewer, newPeer } from './load-viewer.ts'
import { Receiver } from './receiver.ts'

interface Reply {
  janus: string
  data?: { id: number }
  plugindata?: { data?: { error?: string } }
  jsep?: { type: string; sdp: string }
}

/** Watches a mountpoint of Janus' streaming plugin, by its HTTP API. Resolves when Janus has the answer. */
export async function joinJanus(url: string, mountpoint: number): Promise<LoadViewer> {
  const over = new AbortController()
  const tell = async (path: string, body: object): Promise<Reply> => {
    const text = JSON.stringify({ transaction: randomUUID(), ...body })
    return (await (await fetch(url + path, { method: 'POST', body: text })).json()) as Reply
  }
  const session = `/${(await tell('', { janus: 'create' })).data!.id}`
  const attached = await tell(session, { janus: 'attach', plugin: 'janus.plugin.streaming' })
  const handle = `${session}/${attached.data!.id}`
  const listen = async () => (await (await fetch(url + session, { signal: over.signal })).json()) as Reply
  await tell(handle, { janus: 'message', body: { request: 'watch', id: mountpoint } })
  let event = await listen()
  while (event.jsep === undefined) {
    const { error } = event.plugindata?.data ?? {}
    if (error !== undefined) throw new Error(`Janus: ${error}`)
    event = await listen()
  }
  const offer = event.jsep.sdp
  const peer = newPeer()
  const receiver = new Receiver(offer)
  peer.onTrack((track) => receiver.take(track))
  const gathered = Promise.withResolvers<void>()
  peer.onGatheringStateChange((state) => {
    if (state === 'complete') gathered.resolve()
  })
  peer.setRemoteDescription(withoutCandidates(offer), 'offer')
  peer.setLocalDescription('answer')
  await gathered.promise
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
