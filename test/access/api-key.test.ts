import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { apiKeyHash, isApiKeyHash, makeApiKey } from '../../src/access/api-key.ts'
import { rawCall } from '../support/http.ts'
import { door, HASH } from './fixture.ts'

const path = '/http/ESBMessaging.send'

describe('API keys', () => {
  it('are made so that nobody guesses them, and kept as a hash', () => {
    const key = makeApiKey()
    assert.notEqual(key, makeApiKey())
    assert.ok(isApiKeyHash(apiKeyHash(key)!))
    assert.equal(apiKeyHash('secret'), undefined)
    assert.equal(apiKeyHash(`${key}x`), undefined)
  })

  it('let their client in, with its roles, and nobody else', async (t) => {
    const [key, other] = [makeApiKey(), makeApiKey()]
    const text = (more = '') => `apiKeyHash: [${apiKeyHash(key)}, ${apiKeyHash(other)}]\n${more}`
    const { ask, write, log } = await door(t, { sensor: text() })
    const call = (headers: Record<string, string>, at = path) => ask(at, { headers, body: '{}' })
    for (const good of [key, other])
      assert.deepEqual((await call({ 'x-api-key': good })).body, {
        id: 'oauth_client_sensor',
        roles: ['ESBMessaging.send'],
      })
    assert.equal((await call({ 'x-api-key': key }, '/http/orders.write')).status, 403)
    for (const bad of [makeApiKey(), '', 'x'.repeat(4000), apiKeyHash(key)!]) {
      const { status, body, headers } = await call({ 'x-api-key': bad })
      assert.deepEqual([status, body['code']], [401, 'access.key'])
      assert.match(headers.get('www-authenticate')!, /^Bearer realm="sluice"/)
    }
    assert.equal(log.count('no client has the API key in x-api-key'), 4)
    assert.doesNotMatch(JSON.stringify(log.lines), new RegExp(key))
    write({ sensor: text('enabled: false\n') })
    assert.equal((await call({ 'x-api-key': key })).status, 401)
    write({})
    assert.equal((await call({ 'x-api-key': key })).status, 401)
  })

  it('are not taken beside another authorization, and the header means nothing where nobody has one', async (t) => {
    const key = makeApiKey()
    const { ask, basic, write } = await door(t)
    const both = { ...basic(), 'x-api-key': 'of a gateway' }
    assert.equal((await ask(path, { headers: both })).status, 200)
    write({ shop: '', sensor: `apiKeyHash: ${apiKeyHash(key)}\n` })
    assert.deepEqual((await ask(path, { headers: both })).status, 400)
  })

  it('are not taken twice in one request, which counts as no wrong key', async (t) => {
    const key = makeApiKey()
    const { url, ask, log } = await door(t, { sensor: `apiKeyHash: ${apiKeyHash(key)}\n` })
    const twice = `x-api-key: ${key}\r\nX-API-Key: ${makeApiKey()}\r\n`
    const head = `POST ${path} HTTP/1.1\r\nhost: x\r\n${twice}content-length: 0\r\nconnection: close\r\n\r\n`
    for (let i = 0; i < 6; i++) assert.match(await rawCall(url, head), /^HTTP\/1\.1 400 [^]*access\.request/)
    assert.equal(log.count('it has more than one header x-api-key'), 6)
    assert.equal((await ask(path, { headers: { 'x-api-key': makeApiKey() } })).status, 401)
  })

  it('slow down who guesses, and let the right ones go on from the same address', async (t) => {
    const key = makeApiKey()
    const { ask, clock } = await door(t, { sensor: `apiKeyHash: ${apiKeyHash(key)}\n` })
    const call = (key: string) => ask(path, { headers: { 'x-api-key': key } })
    for (let i = 0; i < 5; i++) assert.equal((await call(makeApiKey())).status, 401)
    const limited = await call(makeApiKey())
    assert.deepEqual([limited.status, limited.headers.get('retry-after')], [429, '60'])
    assert.equal((await call(key)).status, 200)
    await clock.advance(60_000)
    assert.equal((await call(makeApiKey())).status, 401)
  })

  it('give no token: a client without a secret has none that fits', async (t) => {
    const { ask, basic, write } = await door(t, { sensor: `apiKeyHash: ${apiKeyHash(makeApiKey())}\n` })
    for (const secret of ['', 'x'])
      assert.equal((await ask(path, { headers: basic('sensor', secret) })).status, 401)
    write({ sensor: `apiKeyHash: ${apiKeyHash(makeApiKey())}\nsecretHash: ${HASH}\n` })
    assert.equal((await ask(path, { headers: basic('sensor') })).status, 200)
  })
})
