import type { Page } from 'playwright-core'
import { within } from '../../support/within.ts'
import { type ShownFrame, screenSource } from '../whep-page.ts'

const offerMs = 15_000

/** Watches a mountpoint by Janus' HTTP API, and notes every picture. */
const watchSource = `(async (url, mountpoint) => {
  const { stream, frames } = ${screenSource}()
  const tell = async (path, body) => {
    const text = JSON.stringify({ transaction: crypto.randomUUID(), ...body })
    return (await fetch(url + path, { method: 'POST', body: text })).json()
  }
  const session = '/' + (await tell('', { janus: 'create' })).data.id
  const handle = session + '/' + (await tell(session, { janus: 'attach', plugin: 'janus.plugin.streaming' })).data.id
  await tell(handle, { janus: 'message', body: { request: 'watch', id: mountpoint } })
  let event
  while (!event?.jsep) {
    event = await (await fetch(url + session)).json()
    const error = event.error?.reason ?? event.plugindata?.data?.error
    if (error) throw new Error('Janus: ' + error)
  }
  const peer = new RTCPeerConnection({ bundlePolicy: 'max-bundle' })
  peer.ontrack = ({ track }) => stream.addTrack(track)
  await peer.setRemoteDescription(event.jsep)
  await peer.setLocalDescription()
  const { type, sdp } = peer.localDescription
  await tell(handle, { janus: 'message', body: { request: 'start' }, jsep: { type, sdp } })
  peer.onicecandidate = ({ candidate }) => tell(handle, { janus: 'trickle', candidate: candidate ?? { completed: true } })
  window.view = { seen: () => ({ frames }) }
})`

/** Shows the mountpoint on a page; what it shows is read by {@link janusFrames}. */
export async function watchJanus(page: Page, url: string, mountpoint: number): Promise<void> {
  await page.goto(`${url}/info`)
  const watching = page.evaluate(`${watchSource}(${JSON.stringify(url)}, ${mountpoint})`)
  await within("Janus' offer", offerMs, watching)
}

export async function janusFrames(page: Page): Promise<ShownFrame[]> {
  return ((await page.evaluate('window.view.seen()')) as { frames: ShownFrame[] }).frames
}
