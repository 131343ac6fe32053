import type { FastifyInstance } from 'fastify'

/** What an orchestrator asks: whether the process answers, and whether it is ready. Nothing but that is told. */
export function addProbes(app: FastifyInstance, ready: () => boolean): void {
  app.get('/health/live', () => ({ status: 'up' }))
  app.get('/health/ready', (_request, reply) => {
    if (ready()) return { status: 'up' }
    reply.code(503)
    return { status: 'down' }
  })
}

/** Nothing that Fastify serves looks into the body of a request. */
export function ignoreBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request, _payload, done) => done(null))
}
