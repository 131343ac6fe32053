import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import type { PreparedTrigger, TriggerHost } from '../../src/core/kinds.ts'
import { endpoint } from '../../src/triggers/endpoint.ts'
import { startServer } from '../server/start-server.ts'
import { host, prepare, type PrepareSetting } from './deployment.ts'

/** Serves the flow at `/orders`, or as the options say. */
export async function serve(
  t: TestContext,
  flow: TriggerHost,
  options: object = {},
  setting: PrepareSetting = {},
) {
  const server = await startServer(t)
  const made = prepare(
    endpoint,
    { path: '/orders', access: 'public', ...options },
    { routes: server.routes, ...setting },
  )
  const prepared = await (made.prepared as PreparedTrigger | Promise<PreparedTrigger>)
  assert.deepEqual(made.problems, [])
  prepared.start(flow)
  return { ...server, ...made, prepared, orders: `${server.url}/http/orders` }
}

/** A flow that ends with the body it was given. */
export const echo = () => host(() => {})
