import type { TestContext } from 'node:test'
import { RouteTable } from '../../src/server/routes.ts'
import { createServer, type ServerSetting } from '../../src/server/server.ts'
import { listLog } from '../support/http.ts'

/** A server on a free port that closes with the test. */
export async function startServer(t: TestContext, own: Partial<ServerSetting> = {}) {
  const routes = new RouteTable((text) => text)
  const log = listLog()
  const server = createServer({
    routes,
    listen: { host: '127.0.0.1', port: 0 },
    health: () => ({ ready: true, reasons: [] }),
    limits: { header: 16 * 1024 },
    log,
    ...own,
  })
  const url = await server.listen()
  t.after(() => server.close(0))
  return { routes, url, log, server }
}
