import { existsSync } from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import type { AddressInfo } from 'node:net'
import cookie from '@fastify/cookie'
import helmet from '@fastify/helmet'
import rateLimit from '@fastify/rate-limit'
import fastifyStatic from '@fastify/static'
import websocket from '@fastify/websocket'
import { PorchlightError } from '@porchlight/proto/errors.ts'
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod'
import { maxFrameBytes } from '../notices/notice-broker.ts'
import { registerAuth } from './auth-hook.ts'
import { contentPolicy } from './content-policy.ts'
import type { GatewayDeps } from './deps.ts'
import { registerOpenApi } from './openapi.ts'
import { answerBadHttp, problemSender, registerProblems } from './problems.ts'

/** A file in `routes/`: registers its routes. */
export type Routes = (app: FastifyInstance, deps: GatewayDeps) => void | Promise<void>

export interface ServerOptions {
  deps: GatewayDeps
  routes: readonly Routes[]
  /** Folder of the built viewer. Where it is missing, the API works all the same. */
  viewer: string
  /** PEM texts */
  tls: { cert: string; key: string } | undefined
  version: string
}

/** Largest body unless a route says otherwise, bytes. */
const bodyLimit = 128 * 1024
/** Requests of one sign-in or address per minute. */
const requestsPerMinute = 1_200
/** Longest time for a whole request, ms: 64 MB of footage over a slow uplink. */
const requestMs = 15 * 60_000

/** Builds the HTTP server with everything but an open port. */
export async function buildServer({ deps, routes, viewer, tls, version }: ServerOptions): Promise<FastifyInstance> {
  const { config, metrics } = deps
  const app: FastifyInstance = fastify({
    // Metrics count requests; the log has what went wrong.
    loggerInstance: deps.log.child({ part: 'http' }, { level: quieter(deps.log) }) as FastifyInstance['log'],
    bodyLimit,
    clientErrorHandler: answerBadHttp,
    frameworkErrors: (error, request, reply) => {
      // No hook runs for a malformed address: an upgrade's socket, which is Node's no more, is closed here.
      if (request.headers.upgrade !== undefined) reply.raw.once('finish', () => request.raw.socket.destroy())
      problemSender(metrics)(error, request as FastifyRequest, reply as FastifyReply)
    },
    forceCloseConnections: true,
    trustProxy: config.http.trustProxy.length > 0 ? [...config.http.trustProxy] : false,
    serverFactory: (handler) => {
      const settings = {
        requestTimeout: requestMs,
        headersTimeout: 20_000,
        keepAliveTimeout: 30_000,
        maxHeaderSize: 16_384,
      }
      return tls ? https.createServer({ ...settings, ...tls }, handler) : http.createServer(settings, handler)
    },
  })
  app.server.maxConnections = 2_048
  app.setValidatorCompiler(validatorCompiler)
  app.setSerializerCompiler(serializerCompiler)
  registerProblems(app, metrics)
  await app.register(helmet, contentPolicy)
  // Ahead of whatever may refuse: its first hook marks an upgrade, and only what is marked is closed after the answer.
  await app.register(websocket, {
    options: {
      maxPayload: maxFrameBytes,
      handleProtocols: (protocols: Set<string>) => (protocols.has('mqtt') ? 'mqtt' : false),
    },
  })
  await app.register(cookie)
  registerAuth(app, {
    signIn: deps.signIn,
    devices: deps.devices,
    publishTokens: deps.publishTokens,
    origins: [...config.http.origins, ...(config.http.publicUrl ? [new URL(config.http.publicUrl).origin] : [])],
  })
  await app.register(rateLimit, {
    max: requestsPerMinute,
    timeWindow: 60_000,
    hook: 'preHandler',
    keyGenerator: (request) => request.session?.id ?? request.ip,
    // What a device may deliver is bounded by footage itself.
    allowList: (request) => request.subject.kind === 'device',
  })
  app.addHook('onSend', async (request, reply) => {
    reply.header('permissions-policy', 'microphone=(self), camera=(), geolocation=()')
    if (request.url.startsWith('/api/') && !reply.hasHeader('cache-control')) reply.header('cache-control', 'no-store')
  })
  app.addHook('onResponse', async (request, reply) => {
    const labels = { method: request.method, route: request.routeOptions.url ?? 'none', status: reply.statusCode }
    metrics.httpSeconds.observe(labels, reply.elapsedTime / 1_000)
  })
  await registerOpenApi(app, version)
  for (const register of routes) await register(app, deps)
  await registerViewer(app, viewer)
  return app
}

/** `warn`, or the logger's own level where that says even less. */
function quieter(log: GatewayDeps['log']): string {
  return log.levelVal > 40 ? log.level : 'warn'
}

/** The viewer's files; everything unknown under `/api` is a problem, anything else that wants HTML is the page. */
async function registerViewer(app: FastifyInstance, viewer: string): Promise<void> {
  const built = existsSync(viewer)
  if (built) {
    await app.register(fastifyStatic, {
      root: viewer,
      cacheControl: false,
      // Vite names the files under assets/ by their content.
      setHeaders: (reply, path) =>
        reply.header(
          'cache-control',
          /[\\/]assets[\\/]/.test(path) ? 'public, max-age=31536000, immutable' : 'no-cache',
        ),
    })
  }
  app.setNotFoundHandler((request, reply) => {
    const page = built && request.method === 'GET' && request.headers.accept?.includes('text/html')
    if (page && !request.url.startsWith('/api/')) return reply.sendFile('index.html')
    throw new PorchlightError('not_found')
  })
}

/** Opens the port. @throws PorchlightError `port_in_use`, `config_invalid` */
export async function listen(app: FastifyInstance, host: string, port: number): Promise<AddressInfo> {
  try {
    await app.listen({ host, port })
  } catch (cause) {
    const inUse = (cause as NodeJS.ErrnoException).code === 'EADDRINUSE'
    throw new PorchlightError(inUse ? 'port_in_use' : 'config_invalid', `http ${host}:${port}`, { cause })
  }
  return app.server.address() as AddressInfo
}
