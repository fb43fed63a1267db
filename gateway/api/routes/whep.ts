import type { FastifyInstance } from 'fastify'
import type { GatewayDeps } from '../deps.ts'
import { sdpOverHttp } from '../sdp-over-http.ts'

/** Media signaling of viewers: WHEP (draft-ietf-wish-whep, with RFC 9725 for what both have), one POST to a picture. */
export async function whepRoutes(
  instance: FastifyInstance,
  { viewers, cameras, relayFor }: GatewayDeps,
): Promise<void> {
  await sdpOverHttp(instance, {
    name: 'WHEP',
    summary: 'See a camera: an SDP offer in, the answer out (WHEP)',
    description:
      'A camera that is not live is asked for its stream, and waited for; 409 with `Retry-After` after that.',
    action: 'view',
    open(camera, offer, subject) {
      cameras.get(camera)
      return viewers.join(camera, offer, subject)
    },
    trickle: (session, fragment, subject) => viewers.trickle(session, fragment, subject),
    leave: (session, subject) => viewers.leave(session, subject),
    relayFor,
  })
}
