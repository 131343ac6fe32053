import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { sluice } from '../support/command-line.ts'
import { projectFolder, startProject } from '../support/project.ts'
import { sign, testKey, tokenService } from './issuer-fixture.ts'

const flow =
  'steps:\n  - endpoint: { path: /orders, access: { role: orders.write } }\n  - set: { body: { caller: "${trigger.caller}", headers: "${trigger.headers}" } }\n'

describe('foreign tokens and API keys in a whole engine', () => {
  it('takes a token of an issuer of the security material', async (t) => {
    const [service, key] = [await tokenService(t), await testKey('k1', 'RS256')]
    service.answer('/.well-known/openid-configuration', {
      issuer: service.url,
      jwks_uri: `${service.url}/keys`,
    })
    service.publish(key.jwk)
    const { url, log } = await startProject(t, {
      'flows/orders.yaml': flow,
      'security-material/keycloak.yaml': `type: issuer\nissuer: ${service.url}\naudience: flows\nroleClaims: realm_access.roles\n`,
    })
    const now = Math.floor(Date.now() / 1000)
    const token = await sign(key, {
      iss: service.url,
      aud: 'flows',
      azp: 'shop',
      iat: now,
      exp: now + 60,
      realm_access: { roles: ['orders.write'] },
    })
    const call = (authorization: string) =>
      fetch(`${url}/http/orders`, { method: 'POST', body: '{}', headers: { authorization } })
    const answer = (await (await call(`Bearer ${token}`)).json()) as Record<string, Record<string, unknown>>
    assert.deepEqual(answer['caller'], { id: 'keycloak:shop', roles: ['orders.write'] })
    assert.equal(answer['headers']!['authorization'], undefined)
    assert.equal((await call(`Bearer ${token}x`)).status, 401)
    assert.equal(log.join('').includes(token), false)
  })

  it('makes an API key that lets its client in, replaces it, and keeps it out of the flow', async (t) => {
    const folder = projectFolder(t, { 'flows/orders.yaml': flow })
    const run = (...args: string[]) => sluice(t, args, {}, { folder })
    const made = await run('client', 'create', 'shop', '--api-key', '--role', 'orders.write')
    assert.equal(made.code, 0, made.stderr)
    const key = / API key +(\S+)\n/.exec(made.stdout)![1]!
    assert.match(made.stdout, /x-api-key: \$API_KEY/)
    assert.doesNotMatch(made.stdout, /token/)
    const text = () => readFileSync(join(folder, 'security-material/shop.yaml'), 'utf8')
    assert.doesNotMatch(text(), new RegExp(key))
    const next = /^API key +(\S+)$/m.exec((await run('client', 'api-key', 'shop')).stdout)![1]!
    assert.equal((await run('client', 'api-key', 'shop')).code, 1)
    assert.match((await run('client', 'show', 'shop')).stdout, /API keys +2 \(api-key --finish/)

    const { url, log } = await startProject(t, {
      'flows/orders.yaml': flow,
      'security-material/shop.yaml': text(),
    })
    const call = (key: string) =>
      fetch(`${url}/http/orders`, { method: 'POST', body: '{}', headers: { 'x-api-key': key } })
    for (const one of [key, next]) {
      const answer = (await (await call(one)).json()) as Record<string, Record<string, unknown>>
      assert.equal(answer['caller']!['id'], 'oauth_client_shop')
      assert.equal(answer['headers']!['x-api-key'], undefined)
    }
    assert.equal((await call(`${key}x`)).status, 401)
    assert.equal(log.join('').includes(key), false)

    assert.match((await run('client', 'api-key', 'shop', '--finish')).stdout, /newest API key only/)
    assert.match((await run('client', 'api-key', 'shop', '--finish')).stdout, /one API key only/)
    assert.match((await run('client', 'api-key', 'shop', '--now')).stdout, /The one before has ended/)
    assert.match((await run('client', 'rotate', 'shop', '--finish')).stdout, /has no secret/)
    assert.match((await run('client', 'rotate', 'shop')).stdout, /^secret {2}\S+$/m)
    assert.match(
      (await run('client', 'create', 'x', '--api-key', '--secret-stdin')).stderr,
      /exclude each other/,
    )
  })
})
