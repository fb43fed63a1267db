import { PorchlightError } from '@porchlight/proto/errors.ts'
import type { FastifyInstance } from 'fastify'
import type { GatewayDeps } from '../deps.ts'

/** Live notices: MQTT over WebSocket. The cookie and the Origin are checked before the upgrade. */
export function noticeRoutes(app: FastifyInstance, { notices, now }: GatewayDeps): void {
  app.get(
    '/mqtt',
    {
      websocket: true,
      schema: { hide: true } as object,
      onRequest: async (request) => {
        if (!request.session) throw new PorchlightError('sign_in_required')
      },
    },
    (socket, request) => {
      if (!request.session || socket.protocol !== 'mqtt') socket.close(1002, 'subprotocol mqtt')
      else notices.attach(socket, request.session.id, request.session.expiresAt - now())
    },
  )
}
