import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

/** The gateway's Prometheus metrics, with a registry of their own; other parts may add theirs to `registry`. */
export class Metrics {
  readonly registry = new Registry()
  /** Messages of devices taken, by type. */
  readonly messages = this.#counter('porchlight_messages_total', 'Messages of devices taken', ['type'])
  /** Messages of devices dropped at the edge, by error code. */
  readonly messagesDropped = this.#counter('porchlight_messages_dropped_total', 'Messages dropped', ['code'])
  /** Connections of the embedded broker refused or cut by the guard, by reason. */
  readonly brokerRefused = this.#counter('porchlight_broker_refused_total', 'Connections refused', ['reason'])
  readonly events = this.#counter('porchlight_events_total', 'Events begun', ['kind'])
  /** Web pushes, by result: sent, gone, failed, dropped. */
  readonly pushes = this.#counter('porchlight_push_total', 'Web pushes', ['result'])
  readonly problems = this.#counter('porchlight_http_problems_total', 'HTTP problems answered', ['code'])
  readonly brokerLinkUp = new Gauge({
    name: 'porchlight_broker_link_up',
    help: 'Whether the gateway is connected to the devices’ broker',
    registers: [this.registry],
  })
  readonly devicesOnline = new Gauge({
    name: 'porchlight_devices_online',
    help: 'Devices connected',
    registers: [this.registry],
  })
  readonly producing = new Gauge({
    name: 'porchlight_producing',
    help: 'Whether pictures of a camera are coming in',
    labelNames: ['camera'],
    registers: [this.registry],
  })
  readonly httpSeconds = new Histogram({
    name: 'porchlight_http_seconds',
    help: 'Time of HTTP answers in seconds, by route',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.005, 0.02, 0.1, 0.5, 2, 10],
    registers: [this.registry],
  })

  constructor() {
    collectDefaultMetrics({ register: this.registry })
  }

  #counter<L extends string>(name: string, help: string, labelNames: L[]): Counter<L> {
    return new Counter({ name, help, labelNames, registers: [this.registry] })
  }
}
