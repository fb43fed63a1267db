import type { FastifyHelmetOptions } from '@fastify/helmet'

/**
 * What the viewer's pages may load: only from here. `blob:` is for hls.js (its worker and the media it makes). The own
 * WebSocket is named because older Safari does not count it under 'self'.
 */
export const contentPolicy: FastifyHelmetOptions = {
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      defaultSrc: ["'self'"],
      baseUri: ["'none'"],
      connectSrc: ["'self'", (request) => ownSockets(request.headers.host)],
      fontSrc: ["'self'"],
      formAction: ["'self'"],
      frameAncestors: ["'none'"],
      imgSrc: ["'self'", 'blob:', 'data:'],
      mediaSrc: ["'self'", 'blob:'],
      objectSrc: ["'none'"],
      scriptSrc: ["'self'"],
      styleSrc: ["'self'"],
      workerSrc: ["'self'", 'blob:'],
    },
  },
  // Said by whoever ends TLS for a name on the internet. On a house's own certificate it would lock a phone out.
  strictTransportSecurity: false,
  referrerPolicy: { policy: 'no-referrer' },
}

function ownSockets(host: string | undefined): string {
  return host !== undefined && /^[\w.-]+(?::\d+)?$|^\[[\da-f:.]+\](?::\d+)?$/i.test(host)
    ? `ws://${host} wss://${host}`
    : ''
}
