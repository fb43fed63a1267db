import fastify, { type FastifyInstance } from 'fastify'
import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod'
import { registerProblems } from '../../gateway/api/problems.ts'
import type { Subject } from '../../gateway/auth/subject.ts'
import { Metrics } from '../../gateway/metrics/metrics.ts'

/** A server as the gateway's API is, without routes: whoever asks is the subject of that time. To be closed by the caller. */
export function routeApp(asking: { readonly subject: Subject }): FastifyInstance {
  const app = fastify()
  app.setValidatorCompiler(validatorCompiler)
  app.setSerializerCompiler(serializerCompiler)
  registerProblems(app, new Metrics())
  app.decorateRequest('subject')
  app.addHook('onRequest', async (request) => {
    request.subject = asking.subject
  })
  return app
}
