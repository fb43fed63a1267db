import swagger from '@fastify/swagger'
import type { FastifyInstance } from 'fastify'
import { jsonSchemaTransform } from 'fastify-type-provider-zod'

/** Describes every route that is registered after it: OpenAPI 3.1 at `/api/openapi.json`. */
export async function registerOpenApi(app: FastifyInstance, version: string): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Porchlight',
        version,
        description: 'Errors are problems (RFC 9457) with a `code`. Times are ms since the Unix epoch.',
      },
      components: {
        securitySchemes: {
          cookie: { type: 'apiKey', in: 'cookie', name: 'porchlight_session' },
          token: { type: 'http', scheme: 'bearer', description: 'An access token of `gateway token`.' },
          publish: { type: 'http', scheme: 'bearer', description: 'A token of `gateway token --publish`: WHIP only.' },
          device: { type: 'http', scheme: 'bearer', description: 'A token that a device has signed.' },
        },
      },
      security: [{ cookie: [] }, { token: [] }],
    },
    transform: jsonSchemaTransform,
  })
  app.get('/api/openapi.json', { schema: { hide: true } as object }, () => app.swagger())
}
