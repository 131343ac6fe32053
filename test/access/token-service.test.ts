import assert from 'node:assert/strict'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose'
import { makeSecretHash, readSecretHash } from '../../src/access/secret-hash.ts'
import { door, HASH, ISSUER, SECRET } from './fixture.ts'

const GRANT = { grant_type: 'client_credentials' }
const form = (fields: Record<string, string>) => ({ body: new URLSearchParams(fields) })

describe('the token service', () => {
  it('gives a JWT at the address of seed 002, with an empty body, and at the other two', async (t) => {
    const { ask, basic } = await door(t)
    for (const path of ['/oauth2/api/v1/token', '/oauth2/token', '/oauth/token']) {
      const { status, headers, body } = await ask(`${path}?grant_type=client_credentials&token_format=jwt`, {
        headers: basic(),
      })
      assert.equal(status, 200)
      assert.equal(headers.get('cache-control'), 'no-store')
      assert.equal(headers.get('x-content-type-options'), 'nosniff')
      const { access_token: token, ...rest } = body
      assert.deepEqual(rest, { token_type: 'Bearer', expires_in: 3600, scope: 'ESBMessaging.send' })
      assert.equal(decodeProtectedHeader(String(token)).typ, 'at+jwt')
    }
  })

  it('signs tokens that others can verify with what it publishes', async (t) => {
    const { ask, token, clock, data } = await door(t)
    const { body: metadata } = await ask('/.well-known/oauth-authorization-server', { method: 'GET' })
    assert.equal(metadata['issuer'], ISSUER)
    assert.equal(metadata['token_endpoint'], `${ISSUER}/oauth2/token`)
    const { body: jwks } = await ask('/oauth2/jwks', { method: 'GET' })
    assert.doesNotMatch(JSON.stringify(jwks), /"d":/)
    const { payload } = await jwtVerify(await token(), createLocalJWKSet(jwks as never), {
      issuer: ISSUER,
      audience: ISSUER,
      typ: 'at+jwt',
      currentDate: new Date(clock.now()),
    })
    const { sub, client_id, scope, roles, exp, iat } = payload
    assert.deepEqual(
      [sub, client_id, scope, roles, exp! - iat!],
      ['oauth_client_shop', 'shop', 'ESBMessaging.send', ['ESBMessaging.send'], 3600],
    )
    assert.equal(statSync(join(data, 'access-keys.json')).mode & 0o777, 0o600)
  })

  it('takes id and secret by Basic, raw or form-encoded, and in the body', async (t) => {
    const odd = 'pass+word%41/=&: ü of the shop'
    const { ask, basic } = await door(t, { shop: `secretHash: ${await makeSecretHash(odd)}\n` })
    const encoded = basic('shop', encodeURIComponent(odd).replaceAll('%20', '+'))
    for (let i = 0; i < 7; i++)
      for (const init of [
        { headers: basic('shop', odd), ...form(GRANT) },
        { headers: encoded, ...form(GRANT) },
        form({ ...GRANT, client_id: 'shop', client_secret: odd }),
        { headers: basic('shop', odd), ...form({ ...GRANT, client_id: 'shop' }) },
      ])
        assert.equal((await ask('/oauth2/token', init)).status, 200)
  })

  it('says what is wrong with a request as RFC 6749 does', async (t) => {
    const { ask, basic, log } = await door(t)
    const headers = basic()
    const wrong: [init: RequestInit, status: number, error: string, query?: string][] = [
      [{ headers }, 400, 'invalid_request'],
      [{ headers, ...form({ grant_type: 'password' }) }, 400, 'unsupported_grant_type'],
      [{ headers, ...form({ ...GRANT, token_format: 'x' }) }, 400, 'invalid_request'],
      [{ headers, ...form({ ...GRANT, scope: 'admin' }) }, 400, 'invalid_scope'],
      [{ headers, ...form(GRANT) }, 400, 'invalid_request', '?grant_type=client_credentials'],
      [
        { headers, body: 'grant_type=client_credentials&grant_type=client_credentials' },
        400,
        'invalid_request',
      ],
      [{ headers, ...form({ ...GRANT, client_secret: SECRET }) }, 400, 'invalid_request'],
      [{ headers, ...form({ ...GRANT, client_id: 'other' }) }, 400, 'invalid_request'],
      [form({ ...GRANT, client_id: 'shop' }), 400, 'invalid_request', `?client_secret=${SECRET}`],
      [form({ ...GRANT, client_id: 'shop', client_assertion: 'x' }), 400, 'invalid_request'],
      [form(GRANT), 401, 'invalid_client'],
      [{ headers: { authorization: 'Digest x' }, ...form(GRANT) }, 401, 'invalid_client'],
      [{ headers: { ...headers, 'content-type': 'application/json' }, body: '{}' }, 400, 'invalid_request'],
      [{ headers, body: new URLSearchParams({ x: 'y'.repeat(70_000) }) }, 413, 'invalid_request'],
    ]
    for (const [init, status, error, query = ''] of wrong) {
      if (typeof init.body === 'string' && !(init.headers as Record<string, string>)['content-type'])
        init.headers = {
          ...(init.headers as Record<string, string>),
          'content-type': 'application/x-www-form-urlencoded',
        }
      const answer = await ask(`/oauth2/token${query}`, init)
      assert.deepEqual([answer.status, answer.body['error']], [status, error])
      assert.equal(answer.headers.get('cache-control'), 'no-store')
    }
    assert.equal((await ask('/oauth2/token', { method: 'GET' })).status, 405)
    assert.doesNotMatch(JSON.stringify(log.lines), new RegExp(SECRET))
  })

  it('answers an unknown client, a wrong secret and a disabled client alike, and slows down after five', async (t) => {
    const { ask, basic, clock, log } = await door(t, { shop: '', off: 'enabled: false\n' })
    const answers = [
      await ask('/oauth2/token', { headers: basic('nobody'), ...form(GRANT) }),
      await ask('/oauth2/token', { headers: basic('shop', 'wrong'), ...form(GRANT) }),
      await ask('/oauth2/token', { headers: basic('off'), ...form(GRANT) }),
    ]
    for (const { status, headers, body } of answers) {
      assert.equal(status, 401)
      assert.match(headers.get('www-authenticate')!, /^Basic realm=/)
      assert.deepEqual(body, answers[0]!.body)
    }
    assert.deepEqual(
      log.lines.map(({ text }) => text.replace(/^.*: /, '')),
      ['there is no such client', 'the secret is not that of client "shop"', 'client "off" is disabled'],
    )
    const wrong = () => ask('/oauth2/token', { headers: basic('shop', 'wrong'), ...form(GRANT) })
    for (let i = 0; i < 4; i++) assert.equal((await wrong()).status, 401)
    const limited = await wrong()
    assert.deepEqual([limited.status, limited.headers.get('retry-after')], [429, '60'])
    const right = () => ask('/oauth2/token', { headers: basic(), ...form(GRANT) })
    assert.equal((await right()).status, 429, 'the right one has to wait, too')
    await clock.advance(60_000)
    assert.equal((await right()).status, 200)
    for (let i = 0; i < 5; i++) await wrong()
    assert.equal((await wrong()).status, 429)
    assert.equal((await right()).status, 200, 'one that is remembered goes on')
  })

  it('counts guesses that come at once, and one guess that is sent many times once', async (t) => {
    const { ask, basic } = await door(t)
    const guess = (secret: string) =>
      ask('/oauth2/token', { headers: basic('shop', secret), ...form(GRANT) }).then(({ status }) => status)
    const same = await Promise.all(Array.from({ length: 12 }, () => guess('wrong')))
    assert.deepEqual(new Set(same), new Set([401]))
    const right = await Promise.all(Array.from({ length: 12 }, () => guess(SECRET)))
    assert.deepEqual(new Set(right), new Set([200]))
    const others = await Promise.all(Array.from({ length: 12 }, (_, i) => guess(`wrong ${i}`)))
    assert.equal(others.filter((status) => status === 401).length, 4)
    assert.equal(others.filter((status) => status === 429).length, 8)
  })

  it('tries one salt for two secrets, so that a rotation costs and shows nothing', async () => {
    const second = await makeSecretHash('the second secret', readSecretHash(HASH))
    assert.equal(readSecretHash(second)!.settings, readSecretHash(HASH)!.settings)
    assert.notEqual(second, HASH)
    assert.equal(
      readSecretHash('$scrypt$ln=20,r=32,p=1$vT5v3nSVqAzFdTSCmBpEhg$Ps8jzvAyWyWLhNyjFvQSV8oPBkM'),
      undefined,
    )
  })

  it('takes both secrets of a client, and ends tokens when all secrets are others', async (t) => {
    const second = await makeSecretHash('the second secret', readSecretHash(HASH))
    const { token, basic, call, write } = await door(t)
    const first = await token()
    write({ shop: `secretHash:\n  - ${HASH}\n  - ${second}\n` })
    assert.equal((await call(first)).status, 200)
    assert.equal((await call(await token({}, basic('shop', 'the second secret')))).status, 200)
    write({ shop: `secretHash: ${second}\n` })
    assert.equal((await call(first)).status, 200, 'the same salt')
    assert.equal(await token(), 'undefined', 'the first secret has ended at once')
    write({ shop: `secretHash: ${await makeSecretHash('another')}\n` })
    assert.equal((await call(first)).status, 401)
  })

  it('gives opaque tokens that outlive a restart, by their hash', async (t) => {
    const { token, call, opened, data } = await door(t)
    const opaque = await token({ token_format: 'opaque' })
    assert.match(opaque, /^[\w-]{43}$/)
    assert.equal((await call(opaque)).status, 200)
    await opened.close()
    assert.doesNotMatch(readFileSync(join(data, 'access-tokens.json'), 'utf8'), new RegExp(opaque))
    const again = await door(t, { shop: '' }, data)
    assert.equal((await again.call(opaque)).status, 200)
    await again.clock.advance(3_600_000)
    assert.equal((await again.call(opaque)).status, 401)
  })

  for (const [what, gone] of [
    ['disabled', { shop: 'enabled: false\n', other: '' }],
    ['removed', { other: '' }],
  ] as const)
    it(`ends tokens for good when their client is ${what}, also when it is back`, async (t) => {
      const there = { shop: '', other: '' }
      const { token, basic, call, write, clock, data, opened } = await door(t, there)
      await clock.advance(200)
      const before = [await token(), await token({ token_format: 'opaque' })]
      const others = await token({}, basic('other'))
      write(gone)
      write(there)
      const statuses = async (tokens: readonly string[], by = call) =>
        Promise.all(tokens.map(async (one) => (await by(one)).status))
      const after = [await token(), await token({ token_format: 'opaque' })]
      assert.deepEqual(await statuses([...before, ...after, others]), [401, 401, 200, 200, 200])
      await opened.close()
      const again = await door(t, there, data)
      again.clock.jump(clock.now() - again.clock.now())
      assert.deepEqual(await statuses([...before, ...after, others], again.call), [401, 401, 200, 200, 200])
      await again.clock.advance(86_400_000)
      await again.token({ token_format: 'opaque' })
      await again.opened.close()
      assert.match(readFileSync(join(data, 'access-tokens.json'), 'utf8'), /"ended": ?\[\]/)
    })

  it('ends tokens of a client that is disabled when the engine starts', async (t) => {
    const { token, opened, data, clock } = await door(t)
    clock.jump(-5000)
    const before = await token()
    await opened.close()
    const again = await door(t, { shop: 'enabled: false\n' }, data)
    again.write({ shop: '' })
    assert.equal((await again.call(before)).status, 401)
    assert.equal((await again.call(await again.token())).status, 200)
    await again.opened.close()
  })

  it('ends a token without a lifetime with the next one', async (t) => {
    const { ask, basic, call, token, write, data, opened } = await door(t, {
      shop: 'tokenLifetime: untilNext\n',
      other: 'tokenLifetime: untilNext\n',
    })
    const others = await token({}, basic('other'))
    const { body } = await ask('/oauth2/token', {
      headers: basic(),
      ...form({ ...GRANT, token_format: 'jwt' }),
    })
    assert.equal(body['expires_in'], 0)
    const first = String(body['access_token'])
    assert.equal((await call(first)).status, 200)
    const second = await token()
    assert.deepEqual([(await call(first)).status, (await call(second)).status], [401, 200])
    assert.equal((await call(others)).status, 200)
    write({ shop: 'tokenLifetime: 5m\n', other: 'tokenLifetime: untilNext\n' })
    assert.equal((await call(second)).status, 200)
    assert.equal((await call(await token())).status, 200)
    assert.equal((await call(second)).status, 401, 'the next one, though it is of another kind')
    await opened.close()
    const again = await door(t, { shop: '', other: 'tokenLifetime: untilNext\n' }, data)
    assert.deepEqual([(await again.call(second)).status, (await again.call(others)).status], [401, 200])
    await again.clock.advance(30 * 86_400_000)
    assert.equal((await again.call(others)).status, 200, 'for as long as the client asks for no other')
  })

  it('revokes tokens of the client that asks, and tells about them', async (t) => {
    const clients = { shop: '', other: '', reader: 'roles: [sluice.introspect]\n' }
    const { ask, basic, token, call, data, opened } = await door(t, clients)
    for (const format of ['jwt', 'opaque']) {
      const given = await token({ token_format: format })
      const at = (path: string, id: string) =>
        ask(`/oauth2/${path}`, { headers: basic(id), ...form({ token: given }) })
      assert.equal((await at('introspect', 'shop')).body['client_id'], 'shop')
      assert.equal((await at('introspect', 'reader')).body['active'], true)
      assert.deepEqual((await at('introspect', 'other')).body, { active: false })
      assert.equal((await at('revoke', 'other')).status, 200)
      assert.equal((await call(given)).status, 200)
      assert.equal((await at('revoke', 'shop')).status, 200)
      assert.equal((await call(given)).status, 401)
      assert.deepEqual((await at('introspect', 'shop')).body, { active: false })
      if (format !== 'jwt') continue
      assert.match(readFileSync(join(data, 'access-tokens.json'), 'utf8'), new RegExp(decodeJwt(given).jti!))
      const again = await door(t, clients, data)
      assert.equal((await again.call(given)).status, 401, 'after a restart, too')
    }
    assert.equal((await ask('/oauth2/introspect', form({ token: 'x' }))).status, 401)
    await opened.close()
  })

  it('publishes the next key a day ahead, signs with it, and lets the old one go', async (t) => {
    const { ask, token, call, clock } = await door(t)
    const kids = async () =>
      ((await ask('/oauth2/jwks', { method: 'GET' })).body['keys'] as { kid: string }[]).map(({ kid }) => kid)
    const day = 86_400_000
    const kidOf = async () => decodeProtectedHeader(await token()).kid
    const [first] = await kids()
    clock.jump(89 * day)
    await clock.advance(3_600_000)
    while ((await kids()).length < 2);
    const second = (await kids())[1]
    assert.equal(await kidOf(), first)
    clock.jump(day)
    const old = await token()
    clock.jump(60_000)
    assert.equal(await kidOf(), second)
    assert.equal((await call(old)).status, 200)
    clock.jump(day)
    await clock.advance(3_600_000)
    while ((await kids()).length > 1);
    assert.deepEqual(await kids(), [second])
  })
})
