import type { FastifyInstance } from 'fastify'
import type { GatewayDeps } from '../deps.ts'
import { sdpOverHttp } from '../sdp-over-http.ts'

/** Anything that speaks WHIP (RFC 9725) is a camera: its offer in, the answer out. */
export async function whipRoutes(
  instance: FastifyInstance,
  { publishers, relayFor }: Pick<GatewayDeps, 'publishers' | 'relayFor'>,
): Promise<void> {
  await sdpOverHttp(instance, {
    name: 'WHIP',
    summary: 'Be a camera: an SDP offer in, the answer out (WHIP)',
    description:
      'For the holder of the camera’s publish token (`gateway token --publish`). One picture and at most one sound, both ' +
      'sent; an offer with more, or with a line that cannot be taken, is refused as a whole (422). Of several codecs ' +
      'H.264 is taken first, then VP9, AV1, VP8, H.265. A camera has one publisher: a second POST with its token takes ' +
      'over, and the session before it ends, as soon as the new one’s media flows. One that comes to nothing changes ' +
      'nothing.',
    action: 'publish',
    open: (camera, offer, subject) => publishers.publish(camera, offer, subject),
    trickle: (session, fragment, subject) => publishers.trickle(session, fragment, subject),
    leave: (session, subject) => publishers.leave(session, subject),
    relayFor,
  })
}
