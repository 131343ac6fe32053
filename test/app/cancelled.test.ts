import assert from 'node:assert/strict'
import { test } from 'node:test'
import { receiver } from '../net/fixture.ts'
import { startProject } from '../support/project.ts'

test('a run that is cancelled while its token is fetched ends at once, and no rejection goes astray', async (t) => {
  let asked: () => void = () => {}
  const tokens = await receiver(t, () => asked())
  const { app } = await startProject(
    t,
    {
      'flows/orders.yaml':
        'steps:\n  - timer: { cron: "0 0 1 1 *" }\n  - http: { url: orders, credential: shop_api }\n',
      'security-material/shop_api.yaml': `type: oauth2\nbaseUrl: ${tokens.origin}/\ntokenServiceUrl: ${tokens.origin}/token\nclientId: me\nclientSecret: \${env:SHOP_SECRET}\n`,
    },
    { environment: { SHOP_SECRET: 'the-secret-of-the-shop', SLUICE_SHUTDOWN_GRACE: '50ms' } },
  )
  const unhandled: unknown[] = []
  const note = (reason: unknown) => void unhandled.push(reason)
  process.on('unhandledRejection', note)
  t.after(() => process.off('unhandledRejection', note))
  const cancelling = new AbortController()
  const reached = new Promise<void>((resolve) => (asked = resolve))
  const run = app.control.run('orders', { headers: {}, parameters: {} }, cancelling.signal)
  await reached
  cancelling.abort()
  assert.equal((await run)!.status, 'CANCELLED')
  const stopped = app.control.run('orders', { headers: {}, parameters: {} })
  await app.stop()
  assert.notEqual((await stopped)?.status, 'COMPLETED')
  for (let i = 0; i < 10; i++) await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(unhandled, [])
})
