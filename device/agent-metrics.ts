import { Gauge, Registry } from 'prom-client'
import type { AgentCamera } from './agent-camera.ts'
import type { FootageUploader } from './footage/uploader.ts'
import type { Link } from './link/link.ts'

export interface MeasuredParts {
  link: Link
  uploader: FootageUploader
  cameras: readonly AgentCamera[]
}

/** Prometheus figures of the agent, read when they are asked for. */
export function agentMetrics(parts: MeasuredParts): Registry {
  const { link, uploader, cameras } = parts
  const register = new Registry()
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name: `porchlight_device_${name}`,
      help,
      registers: [register],
      collect() {
        this.set(read())
      },
    })
  const perCamera = (name: string, help: string, read: (camera: AgentCamera) => number) =>
    new Gauge({
      name: `porchlight_device_${name}`,
      help,
      labelNames: ['camera'],
      registers: [register],
      collect() {
        for (const camera of cameras) this.set({ camera: camera.name }, read(camera))
      },
    })

  gauge('online', 'Whether the link to the gateway is up.', () => Number(link.online))
  gauge('connections_total', 'Connections made to the broker.', () => link.counters.connections)
  gauge('outbox_events', 'Events that wait for the broker.', () => link.counters.outbox)
  gauge('outbox_dropped_total', 'Events given up for want of room or for age.', () => link.counters.dropped)
  gauge('messages_accepted_total', 'Messages taken from the gateway.', () => link.counters.accepted)
  new Gauge({
    name: 'porchlight_device_messages_refused_total',
    help: 'Messages refused, by error code.',
    labelNames: ['code'],
    registers: [register],
    collect() {
      for (const [code, count] of link.counters.refused) this.set({ code }, count)
    },
  })
  gauge('footage_queued_bytes', 'Footage that waits for upload.', () => uploader.queuedBytes)
  gauge('footage_spooled_bytes', 'Footage that waits on the disk.', () => uploader.spooled?.bytes ?? 0)
  gauge('footage_spooled_files', 'Deliveries that wait on the disk.', () => uploader.spooled?.files ?? 0)
  gauge('footage_spool_failing', 'Whether the disk takes no footage now.', () =>
    Number(uploader.spooled?.error !== undefined),
  )
  gauge('footage_delivered_total', 'Deliveries that the gateway has taken.', () => uploader.delivered)
  gauge('footage_delivered_bytes_total', 'Bytes delivered as footage.', () => uploader.deliveredBytes)
  gauge('footage_known_frames_total', 'Frames not sent because the gateway had them.', () => uploader.knownFrames)
  gauge('footage_dropped_total', 'Deliveries given up.', () => uploader.dropped)
  perCamera('camera_live', 'Whether the camera sends.', (camera) => Number(camera.state.state === 'live'))
  perCamera('streaming', 'Whether a session to the gateway lives or is being made.', (camera) =>
    Number(camera.streaming),
  )
  perCamera('sessions_total', 'Sessions offered to the gateway.', (camera) => camera.sessions)
  perCamera('preroll_bytes', 'Coded bytes kept as pre-roll.', (camera) => camera.ring.bytes)
  perCamera('frame', 'Number of the newest picture.', (camera) => camera.ring.newestFrame ?? 0)
  gauge('resident_memory_bytes', 'Memory of the agent without its children.', () => process.memoryUsage.rss())
  gauge('cpu_seconds_total', 'Processor time of the agent without its children.', () => {
    const { user, system } = process.cpuUsage()
    return (user + system) / 1e6
  })
  return register
}
