/**
 * MQTT topics, general to specific, one per direction (MQTT keeps order per topic only). Nobody subscribes to `#`.
 * Devices' broker: `pl/v1/d/{device}/…`. Viewers' broker (the gateway's own WebSocket): `pl/v1/v/…`.
 */
const root = 'pl/v1'

/** device → gateway, retained, last will: {@link file://./messages/presence.ts} */
export const presenceTopic = (device: string) => `${root}/d/${device}/presence`
/** device → gateway, retained: {@link file://./messages/cameras.ts} */
export const camerasTopic = (device: string) => `${root}/d/${device}/cameras`
/** device → gateway, QoS 1: {@link file://./messages/event.ts} */
export const eventTopic = (device: string) => `${root}/d/${device}/event`
/** device → gateway, QoS 1: {@link file://./messages/signal.ts} */
export const signalUpTopic = (device: string) => `${root}/d/${device}/signal/up`
/** gateway → device, QoS 1: {@link file://./messages/signal.ts} */
export const signalDownTopic = (device: string) => `${root}/d/${device}/signal/down`
/** gateway → device, QoS 1: {@link file://./messages/command.ts} */
export const commandTopic = (device: string) => `${root}/d/${device}/command`

/** What a device may publish, as topic suffixes after its own name. */
export const deviceMayPublish = ['presence', 'cameras', 'event', 'signal/up'] as const
/** What a device may subscribe to, as topic suffixes after its own name. */
export const deviceMaySubscribe = ['signal/down', 'command'] as const

/** What the gateway subscribes to on the devices' broker. */
export const gatewaySubscriptions = deviceMayPublish.map((suffix) => `${root}/d/+/${suffix}`)

/** Takes a device topic apart; undefined where it is not one of ours. */
export function parseDeviceTopic(topic: string): { device: string; suffix: string } | undefined {
  const match = /^pl\/v1\/d\/([a-z0-9-]{1,32})\/([a-z/]{1,32})$/.exec(topic)
  return match ? { device: match[1]!, suffix: match[2]! } : undefined
}

/** gateway → open pages: {@link file://./messages/notice.ts} */
export const viewerEventTopic = `${root}/v/event`
/** gateway → open pages, retained per camera. */
export const viewerCameraTopic = (camera: string) => `${root}/v/camera/${camera}`
/** gateway → open pages, retained per camera: who holds the talk floor. */
export const viewerFloorTopic = (camera: string) => `${root}/v/floor/${camera}`
/** What a page may subscribe to; it publishes nothing. */
export const viewerSubscriptions = [viewerEventTopic, `${root}/v/camera/+`, `${root}/v/floor/+`]
