import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { newClientText } from '../../src/access/client-text.ts'
import { makeSecretHash } from '../../src/access/secret-hash.ts'
import { MessageLogReader } from '../../src/store/reading.ts'
import { call } from '../support/http.ts'
import { startProject } from '../support/project.ts'
import { echo, serve } from './serve-endpoint.ts'

const FETCH = { 'x-csrf-token': 'Fetch' }
const GIVEN = 'not-needed'
const SECRET = 'secret-of-the-shop-1234567890'
const basic = (secret = SECRET) => ({ authorization: `Basic ${btoa(`shop:${secret}`)}` })

/** A closed POST endpoint, and how many runs it had. */
async function orders(t: TestContext, more = '') {
  const client = {
    clientId: 'shop',
    description: undefined,
    tokenLifetime: undefined,
    hash: await makeSecretHash(SECRET),
  }
  const { app, url, folder } = await startProject(t, {
    'flows/orders.yaml': `steps:\n  - endpoint: { path: /orders, access: { role: orders.write }${more} }\n  - set: { body: { token: "\${trigger.headers['x-csrf-token']}" } }\n`,
    'security-material/shop.yaml': newClientText({ ...client, roles: ['orders.write'] }),
    'security-material/reader.yaml': newClientText({ ...client, clientId: 'reader', roles: ['orders.read'] }),
  })
  return {
    address: `${url}/http/orders`,
    async runs() {
      await app.flush()
      const reader = new MessageLogReader(join(folder, 'data'))
      const { length } = reader.runs({ limit: 100 })
      reader.close()
      return length
    },
  }
}

test('whoever may call gets a token by GET and HEAD, also where only POST is served, and no run', async (t) => {
  const { address, runs } = await orders(t)
  for (const method of ['GET', 'HEAD'])
    for (const value of ['Fetch', 'fetch', 'FETCH']) {
      const got = await call(address, { method, headers: { ...basic(), 'x-csrf-token': value } })
      assert.deepEqual([got.status, got.headers['x-csrf-token'], got.text], [200, GIVEN, ''])
      assert.equal(got.headers['cache-control'], 'no-store')
      assert.equal(got.headers['set-cookie'], undefined)
      assert.equal(got.headers['sluice-run'], undefined)
    }
  assert.equal(await runs(), 0)

  for (const value of [GIVEN, 'Fetch', 'anything']) {
    const got = await call(address, {
      method: 'POST',
      headers: { ...basic(), 'x-csrf-token': value },
      body: '{}',
    })
    assert.deepEqual([got.status, got.json()], [200, { token: value }])
  }
  assert.equal((await call(address, { method: 'POST', headers: basic(), body: '{}' })).status, 200)
  assert.equal(await runs(), 4)
})

test('the gate is before it: 401, 403, and 405 without the word', async (t) => {
  const { address } = await orders(t)
  const status = async (headers: Record<string, string>) => {
    const got = await call(address, { headers })
    assert.equal(got.headers['x-csrf-token'], undefined)
    return got.status
  }
  assert.equal(await status(FETCH), 401)
  assert.equal(await status({ ...FETCH, ...basic('wrong-secret-of-the-shop') }), 401)
  assert.equal(await status({ ...FETCH, authorization: `Basic ${btoa(`reader:${SECRET}`)}` }), 403)
  assert.equal(await status({ ...basic(), 'x-csrf-token': 'other' }), 405)
  assert.equal(await status(basic()), 405)
})

test('it counts as a call where calls are limited', async (t) => {
  const { address } = await orders(t, ', rateLimit: { rate: 1, per: 1h }')
  assert.equal((await call(address, { headers: { ...FETCH, ...basic() } })).status, 200)
  assert.equal((await call(address, { method: 'POST', headers: basic() })).status, 429)
})

test('at a public endpoint with a parameter, before a path that serves GET', async (t) => {
  const { url, routes } = await serve(t, echo(), { path: '/orders/{id}' })
  routes.serve({ path: '/*', methods: ['GET'] }, 'rest', (request) =>
    request.answer(200, [], Buffer.from('rest')),
  )
  const got = await call(`${url}/http/orders/7`, { headers: FETCH })
  assert.deepEqual([got.status, got.headers['x-csrf-token'], got.text], [200, GIVEN, ''])
  assert.equal((await call(`${url}/http/orders/7`)).text, 'rest')
  assert.equal((await call(`${url}/http/elsewhere`, { headers: FETCH })).text, 'rest')
})

test('a path that only takes signed requests gives none', async (t) => {
  const { url } = await startProject(
    t,
    {
      'flows/hook.yaml':
        'steps:\n  - endpoint: { path: /hook, access: { signature: github } }\n  - log: ok\n',
      'security-material/github.yaml': 'type: signingKey\nscheme: github\nsecret: ${env:HOOK_SECRET}\n',
    },
    { environment: { HOOK_SECRET: 'secret-of-the-hook-1234567890' } },
  )
  const got = await call(`${url}/http/hook`, { headers: FETCH })
  assert.deepEqual([got.status, got.headers['x-csrf-token']], [405, undefined])
})
