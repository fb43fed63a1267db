import { PorchlightError } from '@porchlight/proto/errors.ts'
import { type Cameras, cameras } from '@porchlight/proto/messages/cameras.ts'
import { isExpired, parseMessage } from '@porchlight/proto/messages/envelope.ts'
import { type Event, event } from '@porchlight/proto/messages/event.ts'
import { type Presence, presence } from '@porchlight/proto/messages/presence.ts'
import { type SignalUp, signalUp } from '@porchlight/proto/messages/signal.ts'
import { parseDeviceTopic } from '@porchlight/proto/topics.ts'
import type { SeenIds } from './seen-ids.ts'

/** What arrived from a device, checked. */
export type FromDevice =
  | { kind: 'presence'; device: string; message: Presence }
  | { kind: 'cameras'; device: string; message: Cameras }
  | { kind: 'event'; device: string; message: Event }
  | { kind: 'signal'; device: string; message: SignalUp }

/**
 * The edge between the broker and the gateway: one publication is checked for topic, size, schema, sender, age and
 * repetition.
 * @param seen ids per device; presence and camera lists are states, so repetition does no harm there
 * @param now ms since the Unix epoch
 * @throws PorchlightError `message_*`; never anything else
 */
export function readPublication(
  topic: string,
  payload: Uint8Array,
  seen: (device: string) => SeenIds,
  now: number,
): FromDevice {
  const parsed = parseDeviceTopic(topic)
  if (!parsed) throw new PorchlightError('message_invalid', 'topic')
  const { device } = parsed
  const read = parse(parsed.suffix, payload)
  const { message } = read
  if (message.from !== device) throw new PorchlightError('message_foreign')
  if (isExpired(message, now)) throw new PorchlightError('message_expired')
  if ((read.kind === 'event' || read.kind === 'signal') && !seen(device).add(message.id)) {
    throw new PorchlightError('message_replayed')
  }
  return { ...read, device }
}

type Read<T = FromDevice> = T extends FromDevice ? Omit<T, 'device'> : never

function parse(suffix: string, payload: Uint8Array): Read {
  switch (suffix) {
    case 'presence':
      return { kind: 'presence', message: parseMessage(presence, payload) }
    case 'cameras':
      return { kind: 'cameras', message: parseMessage(cameras, payload) }
    case 'event':
      return { kind: 'event', message: parseMessage(event, payload) }
    case 'signal/up':
      return { kind: 'signal', message: parseMessage(signalUp, payload) }
    default:
      throw new PorchlightError('message_invalid', 'topic')
  }
}
