import assert from 'node:assert/strict'
import { createPublicKey } from 'node:crypto'
import { connect } from 'node:net'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { generateKeyPair, SignJWT, UnsecuredJWT } from 'jose'
import { decodeJwt, decodeProtectedHeader } from 'jose'
import { apiKeyHash, makeApiKey } from '../../src/access/api-key.ts'
import { KeySeal } from '../../src/access/key-seal.ts'
import { SigningKeys } from '../../src/access/signing-keys.ts'
import { door, sealIn, SECRET } from './fixture.ts'

/** The engine's own key, which no attacker has: to make what only one claim is wrong with. */
async function forger(t: TestContext) {
  const at = await door(t)
  const file = join(at.data, 'access-keys.json')
  const keys = await SigningKeys.open(file, at.clock, new KeySeal(file, sealIn(at.data), at.log))
  const key = keys.current().privateKey
  const good = await at.token()
  const forge = (claims: object = {}, header: object = {}, by: Parameters<SignJWT['sign']>[0] = key) =>
    new SignJWT({ ...decodeJwt(good), ...claims })
      .setProtectedHeader({ ...decodeProtectedHeader(good), alg: 'ES256', ...header })
      .sign(by)
  return { ...at, forge, key, good }
}

describe('the gate before an endpoint', () => {
  it('lets in who has the role, and nobody else', async (t) => {
    const { ask, call, token, basic, log } = await door(t)
    const given = await token()
    assert.deepEqual((await call(given)).body, { id: 'oauth_client_shop', roles: ['ESBMessaging.send'] })
    assert.equal((await ask('/http/ESBMessaging.send', { headers: basic() })).status, 200)

    const none = await ask('/http/ESBMessaging.send', { body: 'x' })
    assert.equal(none.status, 401)
    assert.equal(none.headers.get('content-type'), 'application/problem+json')
    assert.match(none.headers.get('www-authenticate')!, /^Bearer realm="sluice", Basic realm="sluice"/)
    const role = await call(given, '/http/orders.write')
    assert.equal(role.status, 403)
    assert.match(role.headers.get('www-authenticate')!, /error="insufficient_scope", scope="orders.write"/)
    assert.doesNotMatch(JSON.stringify(role.body), /ESBMessaging/)
    const told = log.lines.find(({ fields }) => fields['refusal'] === role.body['id'])!
    assert.match(told.text, /oauth_client_shop needs the role "orders\.write", and has "ESBMessaging\.send"/)
    const wrong = await ask('/http/ESBMessaging.send', { headers: basic('shop', 'wrong') })
    assert.deepEqual([wrong.status, wrong.body['code']], [401, 'access.secret'])
  })

  it('refuses forged tokens of every kind, with the reason in the log only', async (t) => {
    const { call, forge, good, key, clock, log } = await forger(t)
    const now = Math.floor(clock.now() / 1000)
    const claims = decodeJwt(good)
    const { kid } = decodeProtectedHeader(good)
    const publicPem = createPublicKey(key).export({ type: 'spki', format: 'pem' })
    const stranger = (await generateKeyPair('ES256')).privateKey
    const without = (name: string) => ({ [name]: undefined })
    const none = new UnsecuredJWT(claims).encode()
    const bad: [token: string, why: RegExp][] = [
      [none, /not signed with ES256|no token that can be read/],
      [await forge({}, { alg: 'HS256' }, Buffer.from(publicPem)), /not signed with ES256/],
      [await forge({}, {}, stranger), /signature is not that/],
      [
        await forge(
          {},
          { jwk: await import('jose').then((jose) => jose.exportJWK(createPublicKey(key))), kid: 'x' },
          stranger,
        ),
        /key that this engine does not have/,
      ],
      [await forge({}, { kid: `${kid}x` }), /key that this engine does not have/],
      [await forge({}, { kid: undefined }), /key that this engine does not have/],
      [await forge({}, { typ: 'JWT' }), /"typ" is missing/],
      [await forge({ aud: 'https://other.example.com' }), /meant for somebody else/],
      [await forge({ iss: 'https://other.example.com' }), /issued by somebody else/],
      [await forge({ exp: now - 12 }), /expired 12 s ago/],
      [await forge({ nbf: now + 61 }), /"nbf" is missing or not/],
      [await forge(without('exp')), /"exp" is missing/],
      [await forge(without('jti')), /"jti" is missing/],
      [await forge(without('client_id')), /"client_id" is missing/],
      [await forge({ client_id: 'nobody' }), /client "nobody" was removed/],
      [await forge({ client_generation: 'x' }), /made anew/],
      [`${good}x`, /signature is not that|can be read/],
      [good.split('.').slice(0, 2).join('.'), /none of this engine/],
      ['x'.repeat(8000), /none of this engine/],
      [`${'x'.repeat(4000)}.${'y'.repeat(4000)}.z`, /no token that can be read/],
      ['x'.repeat(9000), /longer than 8192/],
    ]
    for (const [token, why] of bad) {
      const { status, headers, body } = await call(token)
      assert.equal(status, 401, String(why))
      assert.match(headers.get('www-authenticate')!, /^Bearer realm="sluice", error="invalid_token"$/)
      assert.equal(body['code'], 'access.token')
      assert.match(log.lines.at(-1)!.text, why)
      assert.doesNotMatch(JSON.stringify([body, log.lines.at(-1)]), new RegExp(token.slice(0, 60)))
    }
    assert.equal((await call(await forge())).status, 200, 'the forger can do it right')
  })

  it('refuses what is not to be understood: two headers, a token in the address, another scheme', async (t) => {
    const { ask, token, url } = await door(t)
    const given = await token()
    for (const name of ['access_token', 'x=1&access%5Ftoken', '%61ccess_token'])
      for (const headers of [{}, { authorization: `Bearer ${given}` }]) {
        const query = await ask(`/http/ESBMessaging.send?${name}=${given}`, { headers })
        assert.deepEqual([query.status, query.body['code']], [400, 'access.request'], name)
      }
    const two = await raw(url, [`authorization: Bearer ${given}`, `authorization: Bearer ${given}`])
    assert.match(two, /^HTTP\/1\.1 400 [^]*error="invalid_request"/)
    for (const authorization of ['Digest x', 'Bearer', 'Bearer a b', 'Basic ***', 'Basic Og=='])
      assert.equal((await ask('/http/ESBMessaging.send', { headers: { authorization } })).status, 401)
  })

  it('reads headers of 8 KB: a long token is judged, and refused where it is not good', async (t) => {
    const { url, call, token } = await door(t)
    const given = await token()
    const roles = Array.from({ length: 300 }, (_, i) => `orders.of.country.${i}`)
    assert.equal((await call(`${given.split('.')[0]}.${'x'.repeat(7900)}.x`)).status, 401)
    const long = await raw(url, [`authorization: Bearer ${given}`, `x-more: ${'x'.repeat(8000)}`])
    assert.match(long, /^HTTP\/1\.1 200 /)
    assert.match(await raw(url, [`authorization: Bearer ${'x'.repeat(20_000)}`]), /^HTTP\/1\.1 431 /)
    const wide = await door(t, { shop: `roles: [${[...roles, 'ESBMessaging.send'].join(', ')}]\n` })
    const wideToken = await wide.token()
    const { scope, roles: named } = decodeJwt(wideToken)
    assert.deepEqual([scope, named], [undefined, undefined], 'they would not fit')
    assert.equal(await wide.token({ scope: roles.join(' ') }), 'undefined')
    assert.equal((await wide.call(wideToken)).status, 200, 'what the engine gave it takes')
  })

  it('asks for no byte of the body of a caller that is refused', async (t) => {
    const { url, token, bodies } = await door(t)
    const head = ['content-length: 5', 'expect: 100-continue']
    assert.match(await raw(url, head), /^HTTP\/1\.1 401 /)
    assert.equal(bodies(), 0)
    const allowed = await raw(url, [...head, `authorization: Bearer ${await token()}`], 'hello')
    assert.match(allowed, /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 /)
  })

  it('names only the ways in that an endpoint takes', async (t) => {
    const { ask, basic } = await door(t, { shop: '', sensor: `apiKeyHash: ${apiKeyHash(makeApiKey())}\n` })
    const challenges = async (way: string, headers: Record<string, string>) =>
      (await ask(`/http/by-${way}`, { headers })).headers.get('www-authenticate')
    assert.equal(await challenges('basic', basic('shop', 'wrong')), 'Basic realm="sluice", charset="UTF-8"')
    assert.equal(await challenges('apiKey', { 'x-api-key': makeApiKey() }), 'ApiKey')
    assert.equal(await challenges('oauth2', basic()), 'Bearer realm="sluice"')
  })

  it('looks roles up at use: what is taken away counts at once, what is given, too', async (t) => {
    const { call, token, write } = await door(t, { shop: 'roles: [ESBMessaging.send, orders.write]\n' })
    const given = await token()
    const narrow = await token({ scope: 'ESBMessaging.send' })
    const path = '/http/orders.write'
    assert.deepEqual([(await call(given, path)).status, (await call(narrow, path)).status], [200, 403])
    write({ shop: 'roles: [ESBMessaging.send]\n' })
    assert.equal((await call(given, path)).status, 403)
    write({ shop: 'roles: [orders.write]\n' })
    assert.equal((await call(given, path)).status, 200)
    assert.equal((await call(narrow)).status, 403, 'a role that it no longer has')
    write({ shop: 'enabled: false\n' })
    assert.equal((await call(given)).status, 401)
    write({})
    assert.equal((await call(given)).status, 401)
  })

  it('ends a JWT at its time, also one that it remembers', async (t) => {
    const { call, token, clock } = await door(t, { shop: 'tokenLifetime: 1m\n' })
    const given = await token()
    await clock.advance(59_000)
    assert.equal((await call(given)).status, 200)
    await clock.advance(1_000)
    assert.equal((await call(given)).status, 401)
  })

  it('does not flood the log with refusals', async (t) => {
    const { ask, log, clock } = await door(t)
    for (let i = 0; i < 100; i++) await ask('/http/ESBMessaging.send')
    assert.equal(log.lines.filter(({ level }) => level === 'warn').length, 60)
    await clock.advance(60_000)
    await ask('/http/ESBMessaging.send')
    assert.equal(log.count('40 more requests were refused'), 1)
    assert.doesNotMatch(JSON.stringify(log.lines), new RegExp(SECRET))
  })
})

/** One request by hand, up to the end of what comes back within the connection. @param body sent once it is asked for */
function raw(url: string, headers: readonly string[], body = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url)
    const socket = connect(Number(port), hostname)
    let text = ''
    socket.setEncoding('latin1').on('data', (chunk) => {
      text += chunk
      if (body !== '' && text.endsWith('100 Continue\r\n\r\n')) socket.write(body)
      else if (/\r\n\r\n[^]*\}/.test(text)) socket.destroy()
    })
    socket.once('error', reject).once('close', () => resolve(text))
    socket.write(`POST /http/ESBMessaging.send HTTP/1.1\r\nhost: x\r\n${headers.join('\r\n')}\r\n\r\n`)
  })
}
