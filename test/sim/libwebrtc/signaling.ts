import { randomUUID } from 'node:crypto'
import { makeDeviceToken } from '@porchlight/proto/identity/device-token.ts'
import type { Enrolment } from '@porchlight/proto/identity/enrolment.ts'
import { type Identity, parsePublicKey } from '@porchlight/proto/identity/keys.ts'
import {
  offerStatement,
  type SessionFacts,
  sessionStatement,
  signStatement,
  verifyStatement,
} from '@porchlight/proto/identity/statement.ts'
import { toCameraId } from '@porchlight/proto/ids.ts'
import { parseSdp } from '@porchlight/proto/media/sdp.ts'
import type { CameraState } from '@porchlight/proto/messages/cameras.ts'
import { parseMessage } from '@porchlight/proto/messages/envelope.ts'
import { type SignalDown, signalDown } from '@porchlight/proto/messages/signal.ts'
import {
  camerasTopic,
  commandTopic,
  eventTopic,
  presenceTopic,
  signalDownTopic,
  signalUpTopic,
} from '@porchlight/proto/topics.ts'
import { connectAsync, type MqttClient } from 'mqtt'
import { olderCommand } from '../../support/older-device.ts'

/** What the media half of a simulated device offers to the signaling half. */
export interface PeerHalf {
  /** A complete SDP offer, candidates included. */
  offer(): Promise<string>
  answer(sdp: string): Promise<void>
  close(): void
}

/**
 * A device that is not our agent: only the protocol of `proto/`, written a second time and as plainly as can be, so that
 * the gateway is seen to need nothing of the agent's own. It understands the commands of older devices alone.
 */
export class ForeignDevice {
  readonly #enrolment: Enrolment
  readonly #identity: Identity
  readonly #camera: CameraState
  readonly #openPeer: () => PeerHalf
  readonly #bootId = randomUUID()
  #client: MqttClient | undefined
  #session: { id: string; peer: PeerHalf; sdp: string; nonce: string; seq: number } | undefined

  constructor(enrolment: Enrolment, identity: Identity, camera: CameraState, openPeer: () => PeerHalf) {
    this.#enrolment = enrolment
    this.#identity = identity
    this.#camera = camera
    this.#openPeer = openPeer
  }

  async connect(): Promise<void> {
    const { device, broker, gatewayKey, brokerUser, brokerPassword } = this.#enrolment
    const client = await connectAsync(broker, {
      clientId: device,
      username: brokerUser ?? device,
      password: brokerPassword ?? makeDeviceToken(device, gatewayKey, this.#identity.privateKey, Date.now()),
      will: { topic: presenceTopic(device), payload: this.#presence(false), qos: 1, retain: true },
    })
    this.#client = client
    client.on('message', (topic, payload) => {
      this.#received(topic, payload).catch((error: unknown) => console.error('foreign device:', error))
    })
    await client.subscribeAsync([commandTopic(device), signalDownTopic(device)], { qos: 1 })
    await this.#announce()
  }

  /** Publishes a ring, with an offer when no session lives. */
  async ring(eventId: string): Promise<void> {
    const offer = this.#session ? undefined : await this.#makeOffer()
    await this.#publish(eventTopic(this.#enrolment.device), {
      ...this.#envelope(),
      type: 'event',
      eventId,
      camera: this.#camera.camera,
      kind: 'ring',
      phase: 'begin',
      at: Date.now(),
      bootId: this.#bootId,
      offer,
    })
  }

  async close(): Promise<void> {
    this.#session?.peer.close()
    await this.#client?.endAsync()
  }

  async #announce(): Promise<void> {
    const { device } = this.#enrolment
    await this.#client?.publishAsync(presenceTopic(device), this.#presence(true), { qos: 1, retain: true })
    const message = { ...this.#envelope(), type: 'cameras', bootId: this.#bootId, cameras: [this.#camera] }
    await this.#client?.publishAsync(camerasTopic(device), JSON.stringify(message), { qos: 1, retain: true })
  }

  async #received(topic: string, payload: Uint8Array): Promise<void> {
    if (topic === signalDownTopic(this.#enrolment.device)) return this.#signal(parseMessage(signalDown, payload))
    const message = parseMessage(olderCommand, payload)
    if (message.type === 'hello') await this.#announce()
    if (message.type === 'stream' && !this.#session) {
      const offer = await this.#makeOffer()
      await this.#up({ type: 'offer', offer })
    }
  }

  async #makeOffer() {
    const peer = this.#openPeer()
    const session = { id: randomUUID(), peer, sdp: await peer.offer(), nonce: randomUUID(), seq: 0 }
    this.#session = session
    return {
      session: session.id,
      camera: this.#camera.camera,
      bootId: this.#bootId,
      sdp: session.sdp,
      nonce: session.nonce,
      signature: signStatement(offerStatement(this.#deviceFacts(session)), this.#identity.privateKey),
    }
  }

  async #signal(message: SignalDown): Promise<void> {
    const session = this.#session
    if (!session || message.session !== session.id) return
    if (message.type === 'bye') {
      this.#session = undefined
      session.peer.close()
      return
    }
    if (message.type !== 'answer') return
    const gateway = credentials(message.sdp)
    const facts: SessionFacts = {
      ...this.#deviceFacts(session),
      gatewayFingerprint: gateway.fingerprint,
      gatewayUfrag: gateway.ufrag,
    }
    const key = parsePublicKey(this.#enrolment.gatewayKey)
    if (!verifyStatement(sessionStatement('gateway', facts), message.signature, key))
      throw new Error('answer not signed')
    const signature = signStatement(sessionStatement('device', facts), this.#identity.privateKey)
    await this.#up({ type: 'confirm', signature })
    await session.peer.answer(message.sdp)
  }

  #deviceFacts(session: { id: string; sdp: string; nonce: string }) {
    const { fingerprint, ufrag } = credentials(session.sdp)
    return {
      session: session.id,
      camera: toCameraId(this.#enrolment.device, this.#camera.camera),
      nonce: session.nonce,
      deviceFingerprint: fingerprint,
      deviceUfrag: ufrag,
    }
  }

  #up(body: object): Promise<void> {
    const session = this.#session
    if (!session) throw new Error('no session')
    const message = { ...this.#envelope(), session: session.id, seq: session.seq++, ...body }
    return this.#publish(signalUpTopic(this.#enrolment.device), message)
  }

  async #publish(topic: string, message: object): Promise<void> {
    await this.#client?.publishAsync(topic, JSON.stringify(message), { qos: 1 })
  }

  #envelope() {
    return { v: 1, id: randomUUID(), ts: Date.now(), ttl: 20_000, from: this.#enrolment.device }
  }

  #presence(online: boolean): string {
    const { ttl: _, ...envelope } = this.#envelope()
    return JSON.stringify({
      ...envelope,
      type: 'presence',
      online,
      bootId: this.#bootId,
      epoch: Date.now(),
      version: 'x',
    })
  }
}

function credentials(sdp: string): { fingerprint: string; ufrag: string } {
  const section = parseSdp(sdp).media[0]
  if (!section?.fingerprint || !section.iceUfrag) throw new Error('an SDP without fingerprint or ufrag')
  return { fingerprint: section.fingerprint, ufrag: section.iceUfrag }
}
