import {
  camerasTopic,
  commandTopic,
  deviceMayPublish,
  deviceMaySubscribe,
  gatewaySubscriptions,
  parseDeviceTopic,
  presenceTopic,
  signalDownTopic,
} from '@porchlight/proto/topics.ts'

/** Who a connection of the devices' broker belongs to. */
export type Peer = { kind: 'gateway' } | { kind: 'device'; device: string }

/** A device only its own topics; the gateway only those that devices listen to. `retain` only where ours is retained. */
export function mayPublish(peer: Peer, topic: string, retain: boolean): boolean {
  const parsed = parseDeviceTopic(topic)
  if (!parsed) return false
  if (peer.kind === 'gateway') {
    return !retain && (topic === commandTopic(parsed.device) || topic === signalDownTopic(parsed.device))
  }
  const { device } = peer
  if (parsed.device !== device || !(deviceMayPublish as readonly string[]).includes(parsed.suffix)) return false
  return !retain || topic === presenceTopic(device) || topic === camerasTopic(device)
}

/** A device gets no wildcard: only its own topics by name. */
export function maySubscribe(peer: Peer, filter: string): boolean {
  if (peer.kind === 'gateway') return gatewaySubscriptions.includes(filter)
  const parsed = parseDeviceTopic(filter)
  return parsed?.device === peer.device && (deviceMaySubscribe as readonly string[]).includes(parsed.suffix)
}

/** A last will is a publication that comes later: the same rule, and only presence. */
export function mayLeaveWill(peer: Peer, topic: string): boolean {
  return peer.kind === 'device' && topic === presenceTopic(peer.device)
}
