import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Browser, Page } from 'playwright-core'
import { Registry } from 'prom-client'
import { onTestFinished } from 'vitest'
import type { Subject } from '../../gateway/auth/subject.ts'
import { SessionMetrics } from '../../gateway/metrics/session-metrics.ts'
import { Sfu } from '../../gateway/sfu/sfu.ts'
import { SessionBook } from '../../gateway/signaling/session-book.ts'
import { ViewerSessions } from '../../gateway/signaling/viewers.ts'
import { NodeDataChannelEngine } from '../../gateway/webrtc/node-datachannel.ts'
import { launchChromium } from './chromium.ts'
import { credential } from './credential.ts'
import { watchFrames } from './page-probe.ts'
import { freeUdpPort } from './ports.ts'
import { quietLog } from './quiet-log.ts'

const now = () => performance.now()

/** Who watches. */
export const watcher = { kind: 'user', userId: 'u1', name: 'Ann', role: 'owner', credential } satisfies Subject

/** The gateway's media edge by itself, in this process, and Chromium to watch it. */
export class MediaEdge implements AsyncDisposable {
  readonly sfu: Sfu
  readonly book: SessionBook
  readonly viewers: ViewerSessions
  readonly #engine: NodeDataChannelEngine
  readonly #browser: Browser
  readonly #server = createServer((_, reply) => {
    reply.setHeader('content-type', 'text/html').end('<!doctype html><video autoplay playsinline muted></video>')
  })

  private constructor(browser: Browser, port: number) {
    this.#browser = browser
    this.sfu = new Sfu({ now, log: quietLog })
    this.#engine = new NodeDataChannelEngine({ bindAddress: '127.0.0.1', port, announce: [], log: quietLog })
    this.book = new SessionBook({ metrics: new SessionMetrics(new Registry()) })
    const { sfu, book } = this
    const want = () => undefined
    this.viewers = new ViewerSessions({ engine: this.#engine, sfu, want, now, wallNow: Date.now, log: quietLog, book })
  }

  static async open(): Promise<MediaEdge> {
    const edge = new MediaEdge(await launchChromium(), await freeUdpPort())
    await new Promise<void>((resolve) => {
      edge.#server.listen(0, '127.0.0.1', resolve)
    })
    return edge
  }

  /** A page with a peer (`peer`, and `talk` of its microphone) that has the three lines of our viewer, joined. */
  async watch(camera: string): Promise<{ view: Page; id: string }> {
    const view = await this.#browser.newPage()
    onTestFinished(() => view.close())
    await view.goto(`http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`)
    await watchFrames(view)
    const offer = (await view.evaluate(`(async () => {
      const peer = (window.peer = new RTCPeerConnection({ bundlePolicy: 'max-bundle' }))
      const stream = (document.querySelector('video').srcObject = new MediaStream())
      peer.ontrack = ({ track }) => stream.addTrack(track)
      peer.addTransceiver('video', { direction: 'recvonly' })
      peer.addTransceiver('audio', { direction: 'recvonly' })
      window.talk = peer.addTransceiver('audio', { direction: 'sendonly' })
      await peer.setLocalDescription()
      return peer.localDescription.sdp
    })()`)) as string
    const { id, answer } = await this.viewers.join(camera, offer, watcher)
    await view.evaluate(`peer.setRemoteDescription({ type: 'answer', sdp: ${JSON.stringify(answer)} })`)
    return { view, id }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#browser.close()
    await this.viewers.close()
    await this.book[Symbol.asyncDispose]()
    await this.sfu.close()
    await this.#engine.close()
    this.#server.close()
  }
}
