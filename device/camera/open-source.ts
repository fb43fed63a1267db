import { readFileSync } from 'node:fs'
import { PorchlightError } from '@porchlight/proto/errors.ts'
import type { Logger } from 'pino'
import type { CameraSourceConfig } from '../config.ts'
import type { CameraListener, CameraSource, LayerName } from './camera-source.ts'
import { CommandSource } from './command-source.ts'
import type { FrameNumbering } from './frame-numbering.ts'
import { RtspSource, type TransportMemory } from './rtsp-source.ts'
import { SdpSource } from './sdp-source.ts'

export interface SourceDeps {
  log: Logger
  /** Device clock, ms since the Unix epoch. */
  now?: () => number
  /** A clock that only goes on, ms. */
  monotonic?: () => number
  random?: () => number
  /** Shorter in tests. */
  stallMs?: number
}

export type SourceFactory = (listener: CameraListener, numbering: FrameNumbering) => CameraSource

/**
 * The factory of a camera's connections, as `Camera` takes it: by `url` (RTSP), `sdp` file or `command`. What one
 * connection learns (which transport gets through) the next one knows.
 * @param layer `sub` takes `sub` or `subCommand`; undefined where the camera has none
 */
export function createSource(config: CameraSourceConfig, deps: SourceDeps, layer?: 'main'): SourceFactory
export function createSource(config: CameraSourceConfig, deps: SourceDeps, layer: 'sub'): SourceFactory | undefined
export function createSource(
  config: CameraSourceConfig,
  deps: SourceDeps,
  layer: LayerName = 'main',
): SourceFactory | undefined {
  const { log, now = Date.now, monotonic = () => performance.now(), random = Math.random } = deps
  const common = { now, monotonic, log, ...(deps.stallMs === undefined ? {} : { stallMs: deps.stallMs }) }
  const url = layer === 'main' ? config.url : config.sub
  const command = layer === 'main' ? config.command : config.subCommand
  if (url !== undefined) {
    const memory: TransportMemory = {}
    const { user, password = '', transport } = config
    return (listener, numbering) =>
      new RtspSource({
        ...common,
        url,
        random,
        transport,
        memory,
        // the sub stream is there to be looked at; talk goes by the main stream
        backchannel: layer === 'main' ? config.backchannel : 'off',
        ...(user === undefined ? {} : { credentials: { user, password } }),
        ...(config.certificate === undefined ? {} : { ca: readPem(config.certificate) }),
        listener,
        numbering,
      })
  }
  if (command !== undefined)
    return (listener, numbering) => new CommandSource({ ...common, command, listener, numbering })
  const { sdp } = config
  if (layer === 'main' && sdp !== undefined) {
    return (listener, numbering) => new SdpSource({ ...common, path: sdp, listener, numbering })
  }
  if (layer === 'sub') return undefined
  throw new PorchlightError('config_invalid', 'a camera needs url, sdp or command')
}

function readPem(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new PorchlightError('config_unreadable', path, { cause })
  }
}
